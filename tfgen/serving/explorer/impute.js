// Pixels of an image that a user hides, and a model's draws of them.

import { drawGrid } from "./draw.js";

const DRAWS = 5;
const BRUSH = 1 / 9; // its width, beside the image's; at least that of a pixel
const HIDDEN = 0.5; // how hidden pixels are shown: grey

export class Hiding {
  // Lets a user wipe over the image on a canvas.
  constructor(canvas) {
    this.canvas = canvas;
    this.image = null;
    const wipe = (event) => event.buttons === 1 && this.wipe(event);
    canvas.addEventListener("pointerdown", wipe);
    canvas.addEventListener("pointermove", wipe);
  }

  // Shows an image, `[height][width][channels]`, of which nothing is hidden.
  show(image) {
    this.image = image;
    this.hide(() => false);
  }

  // Hides the pixels that a function of row and column tells, and those alone.
  hide(isHidden) {
    this.seen = this.image.map((row, y) => row.map((_, x) => !isHidden(y, x)));
    this.draw();
  }

  hideLowerHalf() {
    this.hide((y) => y >= this.image.length / 2);
  }

  wipe({ offsetX, offsetY }) {
    const [height, width] = [this.image.length, this.image[0].length];
    const [x, y] = [offsetX / this.canvas.clientWidth, offsetY / this.canvas.clientHeight];
    const reaches = (place, size, middle) =>
      Math.abs((place + 0.5) / size - middle) <= Math.max(BRUSH, 1 / size) / 2;
    const isNear = (row, column) => reaches(row, height, y) && reaches(column, width, x);
    const { seen } = this;
    this.hide((row, column) => !seen[row][column] || isNear(row, column));
  }

  draw() {
    const shown = this.image.map((row, y) =>
      row.map((pixel, x) => (this.seen[y][x] ? pixel : pixel.map(() => HIDDEN))),
    );
    drawGrid(this.canvas, [shown], 1);
  }

  // Returns the mask, 1 where a value is seen, shaped as the image.
  mask() {
    return this.image.map((row, y) => row.map((pixel, x) => pixel.map(() => Number(this.seen[y][x]))));
  }
}

// Draws several times what is hidden, on a canvas beside each other.
export async function drawImputed(model, hiding, canvas, inputs) {
  const rows = (each) => Array(DRAWS).fill(each);
  const { images } = await model.predict("impute", {
    images: rows(hiding.image),
    mask: rows(hiding.mask()),
    ...inputs(DRAWS),
  });
  drawGrid(canvas, images, DRAWS);
}
