/** The console's API, typed from its OpenAPI document. Every failure is an `ApiError` with a text for people. */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

let csrf = "";
/** The session's token, which every request that changes something carries. */
export function setCsrf(token: string | null | undefined): void {
  csrf = token ?? "";
}

const guard: Middleware = {
  onRequest({ request }) {
    if (csrf && request.method !== "GET") request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
};

export const api = createClient<paths>({
  baseUrl: "/",
  // names of columns inside of events hold slashes, which proxies in front do not like encoded
  pathSerializer: (path, values) => path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])).replace(/%2F/g, "/")),
  querySerializer: (query) => {
    const parts = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null && one !== "") parts.append(name, String(one));
      }
    }
    return parts.toString();
  },
});
api.use(guard);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; anything else is thrown. */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch {
    throw new ApiError(0, "Snowgauge does not answer. Is it running?");
  }
  if (!got.response.ok) throw new ApiError(got.response.status, detailOf(got.error, got.response.status));
  return got.data as T;
}

function detailOf(error: unknown, status: number): string {
  const detail = (error as { detail?: unknown } | undefined)?.detail;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) {
    return detail.map((one: { loc?: unknown[]; msg?: string }) => `${one.loc?.at(-1)}: ${one.msg}`).join("; ");
  }
  return `The answer was ${status}.`;
}
