// Latents: drawn from seeds, so that a seed always means the same latents, and calculated with.
// They consist of parts: what the prior draws and, of an InfoGAN, codes. A part has a `size`, a
// `kind`, which tells how it is drawn, and a `path`, on which one goes from one value to another.

// Returns a function that draws numbers in [0, 1): mulberry32.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const numbers = (size, make) => Array.from({ length: size }, (_, place) => make(place));
const normals = (size, draw) =>
  numbers(size, () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));
const scaled = (vector, length) => {
  const norm = Math.hypot(...vector);
  return vector.map((value) => (norm > 0 ? (value * length) / norm : length / Math.sqrt(vector.length)));
};

const KINDS = {
  normal: ({ size }, draw) => normals(size, draw),
  sphere: ({ size }, draw) => scaled(normals(size, draw), 1),
  uniform: ({ size, low, high }, draw) => numbers(size, () => low + (high - low) * draw()),
  categorical: ({ size }, draw) => {
    const category = Math.floor(size * draw());
    return numbers(size, (place) => Number(place === category));
  },
};

// Tells whether it is known how to draw a part.
export const isKnown = ({ kind }) => kind in KINDS;

export function drawLatents(parts, seed) {
  const draw = generator(seed);
  return parts.flatMap((part) => KINDS[part.kind](part, draw));
}

const PATHS = {
  straight: (from, to, t) => from.map((value, place) => (1 - t) * value + t * to[place]),
  // The direction moves on the great circle, the length linearly: as `interpolate_spherical` of
  // tfgen/latent_space.py.
  spherical: (from, to, t) => {
    const dot = (a, b) => a.reduce((sum, value, place) => sum + value * b[place], 0);
    const [start, end] = [Math.hypot(...from), Math.hypot(...to)];
    const angle = Math.acos(Math.min(1, Math.max(-1, dot(from, to) / (start * end))));
    if (!(Math.sin(angle) > 1e-6)) return PATHS.straight(from, to, t);
    const length = ((1 - t) * start + t * end) / Math.sin(angle);
    const [a, b] = [Math.sin((1 - t) * angle) / start, Math.sin(t * angle) / end];
    return from.map((value, place) => length * (a * value + b * to[place]));
  },
};

export function interpolate(parts, from, to, steps) {
  return numbers(steps, (step) => {
    let end = 0;
    return parts.flatMap(({ size, path }) => {
      const [start, stop] = [end, (end += size)];
      return PATHS[path](from.slice(start, stop), to.slice(start, stop), step / (steps - 1));
    });
  });
}

// Tells how far a latent's slider goes.
export const reach = (parts) => (parts.some(({ kind }) => kind === "sphere") ? 1 : 3);

// Returns latents that the parts can have, of which some were just chosen, by their places: on a
// sphere the others give way, so that the length is 1.
export function settle(parts, latents, chosen = []) {
  let end = 0;
  return parts.flatMap(({ size, kind }) => {
    const [start, stop] = [end, (end += size)];
    const part = latents.slice(start, stop);
    if (kind !== "sphere") return part;
    const isChosen = (_, place) => chosen.includes(start + place);
    const kept = part.filter(isChosen);
    const left = 1 - Math.hypot(...kept) ** 2;
    if (!kept.length || kept.length === size) return scaled(part, 1);
    if (left < 0) return scaled(part.map((each, place) => (isChosen(each, place) ? each : 0)), 1);
    const rest = scaled(part.filter((each, place) => !isChosen(each, place)), Math.sqrt(left));
    return part.map((each, place) => (isChosen(each, place) ? each : rest.shift()));
  });
}

export function calculate(latents, minus, plus) {
  return latents.map((value, place) => value - minus[place] + plus[place]);
}

// Returns the places of latents, those first that change the image most around them.
export function byActivity(latents, images) {
  const flat = images.map((image) => image.flat(2));
  const change = latents.map((_, place) => {
    const [low, high] = [flat[2 * place], flat[2 * place + 1]];
    return low.reduce((sum, value, index) => sum + Math.abs(value - high[index]), 0);
  });
  return latents.map((_, place) => place).sort((a, b) => change[b] - change[a]);
}

// Returns two vectors of latents for each place: a little less there, and a little more.
export function shaken(latents) {
  return latents.flatMap((_, place) =>
    [-1, 1].map((step) => latents.map((value, other) => value + (other === place ? step : 0))),
  );
}
