// Call APIs through an Atlas, from a web page or from Node (20 or later). One file, no dependencies: copy it.
//
//     import { atlasProxyFetch, configure } from "./atlas.mjs";
//     configure({ gateway: "https://atlas.example.com", token: async () => await myToken() });
//     const response = await atlasProxyFetch("/v1/apis/http/openai/v1/models");
//
// In Node nothing needs to be configured: the gateway is MOM_BASE_URL, else http://127.0.0.1:8082, and the token is
// MOM_TOKEN, else what `mom auth token` prints.

const HEADER = "Atlas-Accesstoken";
const settings = { gateway: undefined, token: undefined };

/** Set the gateway (its base URL) and the token: text, or a function that returns it or a promise of it. */
export function configure({ gateway = settings.gateway, token = settings.token } = {}) {
  settings.gateway = gateway;
  settings.token = token;
}

/**
 * Fetch `path` of the gateway (`/v1/apis/http/NAME/…`) with an access token; `init` is that of fetch.
 *
 * The token goes to the gateway alone: a redirect to another host is not followed. In Node its response is returned as
 * it is, and what `init.redirect` says makes no difference: fetch itself would send the token along. A page cannot see
 * where a redirect leads, so there one is an error, unless `init.redirect` is "manual".
 */
export async function atlasProxyFetch(path, init = {}) {
  const gateway = gatewayUrl();
  let target = resolved(path, gateway);
  const headers = new Headers(init.headers);
  headers.set(HEADER, await currentToken());
  const follows = (init.redirect ?? "follow") === "follow";
  for (let hops = 0; hops <= 20; hops += 1) {
    const redirect = init.redirect === "error" ? "error" : "manual";
    const response = await fetch(target, { ...init, headers, redirect });
    if (response.type === "opaqueredirect" && follows) {
      throw new TypeError(`${path} redirects, and a page cannot see whereto`);
    }
    const next = redirectOf(response, target, gateway);
    const method = (init.method ?? "GET").toUpperCase();
    if (!follows || next === undefined || !["GET", "HEAD"].includes(method)) {
      return response;
    }
    target = next;
  }
  throw new TypeError(`${path} redirects more than 20 times`);
}

function gatewayUrl() {
  const gateway = settings.gateway ?? environment("MOM_BASE_URL") ?? (inNode() ? "http://127.0.0.1:8082" : undefined);
  if (gateway === undefined) {
    throw new TypeError("no gateway: configure({ gateway: 'https://…' })");
  }
  return new URL(gateway);
}

function resolved(path, gateway) {
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw new TypeError(`not a path of the gateway: ${path}`);
  }
  // Not resolved as a reference: `//host/x` would lead to another host.
  return gateway.origin + gateway.pathname.replace(/\/+$/, "") + path;
}

function redirectOf(response, target, gateway) {
  const location = response.headers.get("location");
  if (response.status < 300 || response.status > 399 || location === null) {
    return undefined;
  }
  const next = new URL(location, target);
  return next.origin === gateway.origin ? next.href : undefined;
}

async function currentToken() {
  const { token } = settings;
  const current = typeof token === "function" ? await token() : (token ?? environment("MOM_TOKEN") ?? (await ofMom()));
  if (typeof current !== "string" || current === "") {
    throw new TypeError("no access token: configure({ token: … })");
  }
  return current;
}

async function ofMom() {
  if (!inNode()) {
    return undefined;
  }
  const { execFile } = await import("node:child_process");
  return await new Promise((done, failed) => {
    execFile("mom", ["auth", "token", "--base-url", gatewayUrl().href], (error, stdout) => {
      if (error) {
        failed(error);
      } else {
        done(stdout.trim());
      }
    });
  });
}

function inNode() {
  return globalThis.process?.versions?.node !== undefined;
}

function environment(name) {
  return globalThis.process?.env?.[name];
}
