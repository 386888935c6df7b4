import { Model, modelNames, useToken, versionsOf } from "./api.js";
import { drawGrid, readImage } from "./draw.js";
import { answerImage, fetchFile, imageSignatures } from "./images.js";
import { drawImputed, Hiding } from "./impute.js";
import {
  byActivity, calculate, drawLatents, interpolate, isKnown, reach, settle, shaken,
} from "./latents.js";

const element = (id) => document.getElementById(id);
const value = (id) => Number(element(id).value);
const MOST_SLIDERS = 32;
const MOST_ROWS = 256; // of a request: servers bound its rows and its bytes

let names = []; // of the models, as far as the server tells
let model = null; // what is explored
let summary = ""; // of the model: what the status says while nothing is wrong
let choosing = new AbortController(); // ends what is asked of a model when another one is chosen
let latents = []; // its latents, as the sliders show them
let order = []; // their places, the most active first

// Draws once more when it has drawn, if it was asked to meanwhile: what came between is left out.
function newestOnly(draw) {
  let [waiting, stale] = [false, false];
  return async () => {
    stale = true;
    if (waiting) return;
    waiting = true;
    try {
      while (stale) {
        stale = false;
        await draw();
      }
    } finally {
      waiting = false;
    }
  };
}

function tell(text, kind = "") {
  element("status").textContent = text;
  element("status").className = kind;
}

// Runs what a user asked for, and tells when it fails, until the next is asked for.
async function attempt(action) {
  if (element("status").className === "error") tell(summary);
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 401) askForToken(new URL(error.url).origin);
    tell(error.message, "error");
  }
}

// ---- Which model

// A list of the names that are known; where none is, one types a name.
function offerNames() {
  if (names.length === 0) return;
  const list = document.createElement("select");
  list.id = "model";
  list.append(...names.map((name) => new Option(name)));
  element("model").replaceWith(list);
}

async function choose(name = element("model").value.trim()) {
  choosing.abort();
  choosing = new AbortController();
  const { signal } = choosing;
  element("explored").inert = true; // until it is the model of that name
  summary = "";
  tell(`Loading ${name} ...`);
  if (names.length && !names.includes(name)) {
    throw new Error(`There is no model ${name}. The server has: ${names.join(", ")}.`);
  }
  const versions = await versionsOf(name, signal);
  const chosen = versions.includes(element("version").value) ? element("version").value : "";
  element("version").replaceChildren(
    new Option("newest", ""),
    ...versions.map((version) => new Option(version, version)),
  );
  element("version").value = chosen;
  model = await new Model(name, chosen, signal).load();
  summary = `${name}: ${model.names().join(", ")}`;
  element("explored").inert = false;
  element("samples").hidden = !model.can("sample") && !model.can("choose_labels");
  element("drawings").hidden = !model.can("draw");
  element("codes").hidden = !model.can("choose_codes");
  const between = model.can("generate") && latentsAreVectors();
  const slides = between && !takesSteps();
  element("latents").hidden = !slides;
  element("between").hidden = !between;
  element("images").hidden = imageSignatures(model).length === 0;
  for (const each of document.querySelectorAll("[data-needs=labels]")) {
    each.hidden = labels(1, 0).labels === undefined;
  }
  element("answers").replaceChildren();
  element("impute").hidden = true; // until there is an image
  if (!element("samples").hidden) await drawSamples();
  if (!element("codes").hidden) {
    element("code-inputs").replaceChildren(...model.latents.codes.flatMap(makeCodeInputs));
    await drawCodes();
  }
  element("prior-choice").hidden = !slides || knownParts().every(isKnown);
  if (slides) await startAgain();
  if (between) await Promise.all([drawPath(), drawSum()]);
  if (!element("images").hidden) await answerFile();
  tell(summary);
}

// Tells whether a latent is one number, which a slider can show.
function latentsAreVectors() {
  return model.shape("serving_default", "inputs", "latents")?.length === 1;
}

// Tells whether images are made of noise in steps: no single number of it does anything.
function takesSteps() {
  return ["sample_in_steps", "sample_labels_in_steps"].some((name) => name in model.signatures);
}

// The labels that so many images want: classes, or vectors with a one in their place.
function labels(count, label) {
  const shape = model.shape("serving_default", "inputs", "labels");
  if (shape === undefined) return {};
  const one = shape.length ? Array.from({ length: shape[0] }, (_, i) => Number(i === label)) : label;
  return { labels: Array(count).fill(one) };
}

// Returns the images of vectors of latents.
async function generate(vectors) {
  const images = [];
  for (let start = 0; start < vectors.length; start += MOST_ROWS) {
    const rows = vectors.slice(start, start + MOST_ROWS);
    const latents = rows.map((vector) => settle(parts(), vector));
    const inputs = { latents, ...labels(latents.length, value("latent-label")) };
    images.push(...(await model.predict("serving_default", inputs)).images);
  }
  return images;
}

// ---- Samples

async function drawSamples() {
  const [seed, count, label] = [value("seed"), value("count"), element("sample-label").value];
  const any = model.can("sample") && (label === "" || !model.can("choose_labels"));
  const answer = any
    ? await model.predict("sample", { count, seed })
    : await model.predict("sample_labels", { ...labels(count, Number(label)), seed });
  drawGrid(element("grid"), answer.images, Math.ceil(Math.sqrt(count)));
  element("download").href = element("grid").toDataURL("image/png");
}

// ---- Captions

const DRAWINGS = 8;

async function drawCaption() {
  const { images } = await model.predict("draw", {
    captions: Array(DRAWINGS).fill(element("caption").value),
    seed: value("drawings-seed"),
    steps: value("drawings-steps"),
    guidance: value("guidance"),
  });
  drawGrid(element("drawn"), images, DRAWINGS);
}

// ---- Codes by name (InfoGAN)

const SAMPLES_OF_CODES = 10;

// A category is chosen from a list; each value of another code slides.
function makeCodeInputs({ name, size, kind }) {
  if (kind !== "categorical") {
    return Array.from({ length: size }, (_, place) => makeSlider(`${name}, ${place}`, 0, drawCodes));
  }
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.append(...Array.from({ length: size }, (_, category) => new Option(category)));
  select.addEventListener("input", () => attempt(drawCodes));
  label.append(name, select);
  return [label];
}

// The chosen value of each code, in the order of the inputs: of several sliders a list.
function chosenCodes() {
  const inputs = element("code-inputs").querySelectorAll("input, select");
  const numbers = [...inputs].map((input) => Number(input.value));
  return Object.fromEntries(
    model.latents.codes.map(({ name, size, kind }) => [
      name,
      kind === "categorical" ? numbers.shift() : numbers.splice(0, size),
    ]),
  );
}

const drawCodes = newestOnly(async () => {
  const inputs = { seed: value("codes-seed") };
  for (const [name, chosen] of Object.entries(chosenCodes())) {
    inputs[name] = Array(SAMPLES_OF_CODES).fill(chosen);
  }
  const { images } = await model.predict("sample_codes", inputs);
  drawGrid(element("coded"), images, SAMPLES_OF_CODES / 2);
});

// ---- Latents

// What a user may choose where nobody says how latents are distributed.
const PRIORS = {
  normal: { kind: "normal", path: "spherical" },
  uniform: { kind: "uniform", low: -1, high: 1, path: "straight" },
};

// The parts of the latents as they are described: what the prior draws, and each code.
function knownParts() {
  const { codes = [], ...prior } = model.latents;
  return [{ ...prior, size: codes.reduce((rest, code) => rest - code.size, prior.size) }, ...codes];
}

// The parts as they are drawn.
function parts() {
  const chosen = PRIORS[element("prior").value];
  return knownParts().map((part) => (isKnown(part) ? part : { ...part, ...chosen }));
}

async function startAgain() {
  latents = drawLatents(parts(), value("start"));
  order = byActivity(latents, await generate(shaken(latents)));
  for (const [id, place] of [["map-x", order[0]], ["map-y", order[1] ?? order[0]]]) {
    element(id).replaceChildren(...order.map((each) => new Option(`latent ${each}`, each)));
    element(id).value = place;
  }
  element("sliders").replaceChildren(...order.slice(0, MOST_SLIDERS).map(makeLatentSlider));
  await drawPicture();
}

function makeSlider(name, start, onInput, span = 3) {
  const label = document.createElement("label");
  const slider = document.createElement("input");
  const output = document.createElement("output");
  Object.assign(slider, { type: "range", min: -span, max: span, step: 0.01, value: start });
  output.textContent = start.toFixed(2);
  slider.setAttribute("aria-label", name);
  slider.addEventListener("input", () => {
    output.textContent = Number(slider.value).toFixed(2);
    attempt(() => onInput(Number(slider.value)));
  });
  label.append(name, slider, output);
  return label;
}

function makeLatentSlider(place) {
  const change = (latent) => setLatents({ [place]: latent });
  const label = makeSlider(`latent ${place}`, latents[place], change, reach(parts()));
  label.querySelector("input").dataset.place = place;
  return label;
}

function setLatents(changes) {
  for (const [place, latent] of Object.entries(changes)) latents[place] = latent;
  latents = settle(parts(), latents, Object.keys(changes).map(Number));
  attempt(drawPicture);
}

const drawPicture = newestOnly(async () => {
  showLatents();
  drawGrid(element("picture"), await generate([latents]), 1);
});

function showLatents() {
  for (const slider of element("sliders").querySelectorAll("input")) {
    slider.value = latents[slider.dataset.place];
    slider.nextElementSibling.textContent = latents[slider.dataset.place].toFixed(2);
  }
  const map = element("map");
  const context = map.getContext("2d");
  const [x, y] = [toMap(latents[value("map-x")], map.width), toMap(-latents[value("map-y")], map.height)];
  context.clearRect(0, 0, map.width, map.height);
  context.fillStyle = context.strokeStyle = getComputedStyle(map).color;
  context.globalAlpha = 0.3;
  context.strokeRect(map.width / 2, -1, 0, map.height + 2);
  context.strokeRect(-1, map.height / 2, map.width + 2, 0);
  if (reach(parts()) === 1) {
    context.beginPath(); // the sphere, seen from afar
    context.arc(map.width / 2, map.height / 2, map.width / 2 - 1, 0, 2 * Math.PI);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fill();
}

const clamp = (latent) => Math.min(reach(parts()), Math.max(-reach(parts()), latent));
const toMap = (latent, size) => ((latent / reach(parts()) + 1) / 2) * size;
const fromMap = (place, size) => clamp(reach(parts()) * ((place / size) * 2 - 1));

function drag(event) {
  if (event.buttons !== 1) return;
  const map = element("map");
  setLatents({
    [value("map-y")]: -fromMap(event.offsetY, map.clientHeight),
    [value("map-x")]: fromMap(event.offsetX, map.clientWidth),
  });
}

const STEPS = {
  ArrowLeft: ["map-x", -0.1],
  ArrowRight: ["map-x", 0.1],
  ArrowUp: ["map-y", 0.1],
  ArrowDown: ["map-y", -0.1],
};

function step(event) {
  if (!(event.key in STEPS)) return;
  event.preventDefault();
  const [axis, change] = STEPS[event.key];
  const place = value(axis);
  setLatents({ [place]: clamp(latents[place] + change) });
}

// ---- Between samples

const STEPS_BETWEEN = 9;
const seeded = (id) => drawLatents(parts(), value(id));

async function drawPath() {
  const path = interpolate(parts(), seeded("from"), seeded("to"), STEPS_BETWEEN);
  drawGrid(element("path"), await generate(path), path.length);
}

async function drawSum() {
  const terms = [seeded("plus"), seeded("minus"), seeded("and")];
  drawGrid(element("sum"), await generate([...terms, calculate(...terms)]), 4);
}

// ---- A user's image

// Shows what the model makes of the chosen file, if there is one.
async function answerFile() {
  const [file] = element("file").files;
  if (!file) return;
  const isChosen = () => file === element("file").files[0]; // still
  try {
    const figures = await answerImage(model, file, (count) => labels(count, value("image-label")));
    if (!isChosen()) return;
    element("answers").replaceChildren(...figures);
    element("impute").hidden = !model.can("impute");
    if (model.can("impute")) await startImputing(file);
  } catch (error) {
    if (error.name !== "AbortError" && isChosen()) {
      element("file").value = ""; // so that the same file can be chosen again
      element("answers").replaceChildren();
    }
    throw error;
  }
}

// As if a user had chosen it: the input shows its name, and the next model answers it too.
async function answerExample(image) {
  const files = new DataTransfer();
  files.items.add(await fetchFile(image.src));
  element("file").files = files.files;
  await answerFile();
}

// ---- Missing pixels

const hiding = new Hiding(element("hiding"));

async function startImputing(file) {
  hiding.show(await readImage(file, model.shape("impute", "inputs", "images")));
  hiding.hideLowerHalf();
  await impute();
}

const impute = () =>
  drawImputed(model, hiding, element("imputed"), (count) => ({
    ...labels(count, value("image-label")),
    seed: value("impute-seed"),
  }));

// ---- A server that wants a token

function askForToken(origin) {
  element("token-origin").textContent = origin;
  element("access").hidden = false;
  element("token").focus();
}

async function enter() {
  useToken(element("token").value.trim());
  element("access").hidden = true;
  await start();
}

// ---- Wiring

function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(action);
  });
}

async function start() {
  names = await modelNames();
  const inAddress = new URLSearchParams(location.search).get("model");
  const name = element("model").value || inAddress || names[0] || "";
  offerNames();
  element("model").value = name;
  await choose(name);
}

onSubmit(element("access"), enter);
element("model-choice").addEventListener("change", () => attempt(choose));
element("version").addEventListener("change", () => attempt(choose));
onSubmit(element("seed").form, drawSamples);
element("next-seed").addEventListener("click", () => {
  element("seed").value = value("seed") + 1;
  attempt(drawSamples);
});
onSubmit(element("caption").form, drawCaption);
onSubmit(element("codes-seed").form, drawCodes);
onSubmit(element("start").form, startAgain);
for (const id of ["map-x", "map-y"]) element(id).addEventListener("change", showLatents);
element("map").addEventListener("pointerdown", drag);
element("map").addEventListener("pointermove", drag);
element("map").addEventListener("keydown", step);
onSubmit(element("from").form, drawPath);
onSubmit(element("plus").form, drawSum);
for (const id of ["file", "image-label"]) {
  element(id).addEventListener("change", () => attempt(answerFile));
}
onSubmit(element("impute-seed").form, impute);
element("hide-half").addEventListener("click", () => hiding.hideLowerHalf());
element("hide-nothing").addEventListener("click", () => hiding.show(hiding.image));
for (const button of element("examples").querySelectorAll("button")) {
  button.addEventListener("click", () => attempt(() => answerExample(button.firstElementChild)));
}
element("drop").addEventListener("dragover", (event) => event.preventDefault());
element("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) element("file").files = event.dataTransfer.files;
  attempt(answerFile);
});

attempt(start);
