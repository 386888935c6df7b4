// Requests of TensorFlow Serving's REST API. `?server=http://host:8501` asks another server.

const server = new URLSearchParams(location.search).get("server") ?? "";

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(server + path, options);
  // NaN and Infinity are numbers there, and no JSON.
  const text = (await response.text()).replace(/-?\b(NaN|Infinity)\b/g, "null");
  const answer = JSON.parse(text);
  if (!response.ok) throw new Error(answer.error ?? `${response.status} ${response.statusText}`);
  return answer;
}

export class Model {
  constructor(name, version) {
    const which = version ? `/versions/${version}` : "";
    this.path = `/v1/models/${encodeURIComponent(name)}${which}`;
  }

  // Finds out what can be asked; returns this.
  async load() {
    const { metadata } = await ask(`${this.path}/metadata`);
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
    const { outputs } = await ask(`${this.path}:predict`, { signature_name: signature, inputs });
    return names.length === 1 ? { [names[0]]: outputs } : outputs;
  }
}

export async function modelNames() {
  // The server that comes with tfgen knows; TensorFlow Serving has no such list.
  return ask("/healthz").then(({ models }) => models, () => []);
}

export async function versionsOf(name) {
  const { model_version_status: found } = await ask(`/v1/models/${encodeURIComponent(name)}`);
  return found.filter(({ state }) => state === "AVAILABLE").map(({ version }) => version);
}
