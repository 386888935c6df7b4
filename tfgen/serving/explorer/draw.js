// Images are nested lists [height][width][channels] of numbers in [0, 1].

// Draws images on a canvas in rows of so many, with a pixel between, as large as fits.
export function drawGrid(canvas, images, columns) {
  const [height, width] = [images[0].length, images[0][0].length];
  const rows = Math.ceil(images.length / columns);
  canvas.width = columns * (width + 1) - 1;
  canvas.height = rows * (height + 1) - 1;
  const context = canvas.getContext("2d");
  images.forEach((image, index) => {
    const [x, y] = [(index % columns) * (width + 1), Math.floor(index / columns) * (height + 1)];
    context.putImageData(toPixels(image), x, y);
  });
  const scale = Math.max(1, Math.min(6, Math.floor(640 / canvas.width)));
  canvas.style.width = `${canvas.width * scale}px`;
}

function toPixels(image) {
  const pixels = new ImageData(image[0].length, image.length);
  image.flat().forEach((values, index) => {
    for (let channel = 0; channel < 3; channel++) {
      const value = values.length === 1 ? values[0] : values[channel];
      pixels.data[4 * index + channel] = Math.round(255 * value);
    }
    pixels.data[4 * index + 3] = 255;
  });
  return pixels;
}

// Returns a file's image in the size and channels that a model takes.
export async function readImage(file, [height, width, channels]) {
  const bitmap = await createImageBitmap(file);
  const side = Math.min(bitmap.width, bitmap.height); // the middle square
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  const [x, y] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context.drawImage(bitmap, x, y, side, side, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => {
      const [red, green, blue] = data.slice(4 * (row * width + column)).map((value) => value);
      const colour = [red / 255, green / 255, blue / 255];
      return channels === 3 ? colour : [0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]];
    }),
  );
}
