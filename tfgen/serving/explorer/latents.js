// Codes: drawn from seeds, so that a seed always means the same code, and calculated with.

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

const PRIORS = {
  uniform: (draw) => 2 * draw() - 1,
  normal: (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
};

export function drawCode(prior, size, seed) {
  const draw = generator(seed);
  return Array.from({ length: size }, () => PRIORS[prior](draw));
}

// Spherical interpolation for the normal prior, whose codes lie near a sphere; else a line.
export function interpolate(prior, from, to, steps) {
  const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
  const cosine = dot(from, to) / Math.sqrt(dot(from, from) * dot(to, to));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const spherical = prior === "normal" && Math.sin(angle) > 1e-6;
  return Array.from({ length: steps }, (_, index) => {
    const t = index / (steps - 1);
    const a = spherical ? Math.sin((1 - t) * angle) / Math.sin(angle) : 1 - t;
    const b = spherical ? Math.sin(t * angle) / Math.sin(angle) : t;
    return from.map((value, place) => a * value + b * to[place]);
  });
}

export function calculate(code, minus, plus) {
  return code.map((value, index) => value - minus[index] + plus[index]);
}

// Returns the places of a code, those first that change the image most around it.
export function byActivity(code, images) {
  const flat = images.map((image) => image.flat(2));
  const change = code.map((_, place) => {
    const [low, high] = [flat[2 * place], flat[2 * place + 1]];
    return low.reduce((sum, value, index) => sum + Math.abs(value - high[index]), 0);
  });
  return code.map((_, place) => place).sort((a, b) => change[b] - change[a]);
}

// Returns two codes for each place: a little less there, and a little more.
export function shaken(code) {
  return code.flatMap((_, place) =>
    [-1, 1].map((step) => code.map((value, other) => value + (other === place ? step : 0))),
  );
}
