// Requests of TensorFlow Serving's REST API. `?server=http://host:8501` asks another server.

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
  return name ? `/v1/models/${encodeURIComponent(name)}` : "/v1/models";
}

// One version of a model. Once the signal is aborted, whatever is asked of it is an AbortError.
export class Model {
  constructor(name, version, signal) {
    this.path = pathOf(name) + (version ? `/versions/${version}` : "");
    this.signal = signal;
  }

  // Finds out what can be asked; returns this.
  async load() {
    const { metadata } = await ask(`${this.path}/metadata`, this.signal);
    this.signatures = metadata.signature_def.signature_def;
    return this;
  }

  has(signature) {
    return signature in this.signatures;
  }

  // The signatures' names; those of TensorFlow's own are left out.
  names() {
    return Object.keys(this.signatures).filter((name) => !name.startsWith("__")).sort();
  }

  inputs(signature) {
    return Object.keys(this.signatures[signature].inputs);
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
    const { outputs } = await ask(`${this.path}:predict`, this.signal, body);
    return names.length === 1 ? { [names[0]]: outputs } : outputs;
  }
}

export async function modelNames() {
  // The server that comes with tfgen knows; TensorFlow Serving has no such list.
  return ask("/healthz").then(({ models }) => models, () => []);
}

export async function versionsOf(name, signal) {
  const { model_version_status: found } = await ask(pathOf(name), signal);
  return found.filter(({ state }) => state === "AVAILABLE").map(({ version }) => version);
}
