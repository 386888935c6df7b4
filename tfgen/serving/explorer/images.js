// What a model answers to an image of one's own.

import { drawGrid, readImage } from "./draw.js";

// The signatures that take nothing but images, and perhaps their labels.
export function imageSignatures(model) {
  return model.names().filter((name) => ["images", "images,labels"].includes(takes(model, name)));
}

const takes = (model, name) => model.inputs(name).sort().join();

// Returns a figure for each output. `labels` is a function of a count, see `labels` in explorer.js.
export async function answerImage(model, file, labels) {
  const figures = [];
  for (const name of imageSignatures(model)) {
    const image = await readImage(file, model.shape(name, "inputs", "images"));
    const wanted = takes(model, name) === "images" ? {} : labels(1);
    const outputs = await model.predict(name, { images: [image], ...wanted });
    for (const [output, answer] of Object.entries(outputs)) {
      figures.push(makeFigure(name, output, image, answer[0]));
    }
  }
  return figures;
}

function makeFigure(name, output, image, answer) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  if (output === "images") {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-label", name);
    drawGrid(canvas, [image, answer], 2);
    caption.textContent = name;
    figure.append(canvas);
  } else {
    const numbers = [answer].flat(3).slice(0, 10).map((number) => number?.toPrecision(4) ?? "NaN");
    caption.textContent = `${name}, ${output}: ${numbers.join(", ")}`;
  }
  figure.append(caption);
  return figure;
}

// Returns what an address has, as a file of its name.
export async function fetchFile(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`There is no image at ${address}.`);
  return new File([await response.blob()], address.split("/").pop());
}
