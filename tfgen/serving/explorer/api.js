// Requests of TensorFlow Serving's REST API, and one that the server of this page knows alone, of
// what a model can do. `?server=http://host:8501` asks another server.

const server = new URLSearchParams(location.search).get("server") ?? "";
let token = ""; // kept nowhere else

export function useToken(given) {
  token = given;
}

async function ask(path, signal, body) {
  const response = await fetch(server + path, {
    method: body === undefined ? "GET" : "POST",
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    body: JSON.stringify(body),
    redirect: "error", // the token is for this server alone
    signal,
  });
  // NaN and Infinity are numbers there, and no JSON.
  const text = (await response.text()).replace(/-?\b(NaN|Infinity)\b/g, "null");
  const answer = JSON.parse(text);
  if (response.ok) return answer;
  const message = answer.error ?? `${response.status} ${response.statusText}`;
  throw Object.assign(new Error(message), { status: response.status, url: response.url });
}

// Of no name too: the answer then tells what is missing, a model or a token.
function pathOf(name) {
  return name ? `/models/${encodeURIComponent(name)}` : "/models";
}

// One version of a model. Once the signal is aborted, whatever is asked of it is an AbortError.
export class Model {
  constructor(name, version, signal) {
    this.path = pathOf(name) + (version ? `/versions/${version}` : "");
    this.signal = signal;
  }

  // Finds out what can be asked; returns this.
  async load() {
    const { metadata } = await ask(`/v1${this.path}/metadata`, this.signal);
    this.signatures = metadata.signature_def.signature_def;
    const { abilities, latents } = await this.describe();
    return Object.assign(this, { abilities, latents });
  }

  // Returns what the model can do, and how its latents are distributed: see
  // tfgen/serving/description.py.
  async describe() {
    try {
      return await ask(`/tfgen${this.path}`, this.signal);
    } catch (error) {
      if (server === "" || error.name === "AbortError") throw error;
      return describeBySignatures(this); // TensorFlow Serving has no such path
    }
  }

  can(ability) {
    return this.abilities.includes(ability);
  }

  // The signatures' names; TensorFlow's own are left out, and a default that has a name too.
  names() {
    const names = Object.keys(this.signatures).filter((name) => !name.startsWith("__")).sort();
    const form = JSON.stringify(this.form("serving_default"));
    const isTwin = (name) => name !== "serving_default" && JSON.stringify(this.form(name)) === form;
    return names.some(isTwin) ? names.filter((name) => name !== "serving_default") : names;
  }

  // What a signature takes and gives: names, types and sizes, in the order of the names.
  form(signature) {
    return ["inputs", "outputs"].map((side) =>
      Object.entries(this.signatures[signature]?.[side] ?? {})
        .map(([name, { dtype, tensor_shape: { dim } }]) => [name, dtype, ...dim.map(({ size }) => size)])
        .sort(),
    );
  }

  inputs(signature) {
    return Object.keys(this.signatures[signature]?.inputs ?? {});
  }

  // The sizes of an input or output, the batch's left out; undefined if there is none.
  shape(signature, side, name) {
    const tensor = this.signatures[signature]?.[side]?.[name];
    return tensor?.tensor_shape.dim.slice(1).map((dim) => Number(dim.size));
  }

  // Returns the outputs of a signature by name.
  async predict(signature, inputs) {
    const names = Object.keys(this.signatures[signature].outputs);
    const body = { signature_name: signature, inputs };
    const { outputs } = await ask(`/v1${this.path}:predict`, this.signal, body);
    return names.length === 1 ? { [names[0]]: outputs } : outputs;
  }
}

function describeBySignatures(model) {
  const names = { sample: "sample", choose_labels: "sample_labels", draw: "draw" };
  const abilities = Object.keys(names).filter((ability) => names[ability] in model.signatures);
  const size = model.shape("serving_default", "inputs", "latents")?.[0];
  if (size === undefined) return { abilities };
  const codeNames = model.inputs("sample_codes").filter((name) => name !== "seed");
  codeNames.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  const codes = codeNames.map((name) => {
    const [values] = model.shape("sample_codes", "inputs", name);
    const categories = model.shape("recognize", "outputs", name)?.[0];
    return values === undefined
      ? { name, kind: "categorical", size: categories, path: "straight" }
      : { name, kind: "uniform", size: values, low: -1, high: 1, path: "straight" };
  });
  const latents = { size, kind: "other", path: "straight" };
  if (codes.length === 0 || codes.some((code) => code.size === undefined)) {
    return { abilities: [...abilities, "generate"], latents };
  }
  return { abilities: [...abilities, "generate", "choose_codes"], latents: { ...latents, codes } };
}

export async function modelNames() {
  // The server that comes with tfgen knows; TensorFlow Serving has no such list.
  return ask("/healthz").then(({ models }) => models, () => []);
}

export async function versionsOf(name, signal) {
  const { model_version_status: found } = await ask(`/v1${pathOf(name)}`, signal);
  return found.filter(({ state }) => state === "AVAILABLE").map(({ version }) => version);
}
