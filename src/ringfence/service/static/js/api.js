// Requests to the venue's own REST interface; a problem (RFC 9457) becomes an exception.

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `the venue answered ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code || "unreachable";
    this.problems = body.problems || [];
    this.retryMs = body.retry_after_ms;
  }
}

function query(parameters) {
  const pairs = Object.entries(parameters ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

async function answered(request) {
  let answer;
  try {
    answer = await request;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "unreachable", detail: "The venue cannot be reached; is it running?" });
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

export function get(path, parameters, signal) {
  return answered(fetch(`/v1${path}${query(parameters)}`, { signal, headers: { accept: "application/json" } }));
}

export function post(path, body, signal) {
  return answered(
    fetch(`/v1${path}`, {
      method: "POST",
      signal,
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body ?? {}),
    }),
  );
}

export const part = encodeURIComponent;
