// An OpenID provider on loopback, at the port of its first argument, for clients that ask for tokens of their own.
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const client = (id, secret, method) => ({
  client_id: id,
  client_secret: secret,
  token_endpoint_auth_method: method,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});
const resource = {
  scope: "read write",
  audience: "https://api.test",
  accessTokenFormat: "jwt",
  accessTokenTTL: 3,
  jwt: { sign: { alg: "RS256" } },
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client("post", "s+cr/et==&%", "client_secret_post"),
    client("basic", "s+cr/et==&%", "client_secret_basic"),
  ],
  cookies: { keys: ["unused"] },
  scopes: ["read", "write"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: () => resource,
    },
  },
});
provider.listen(port, "127.0.0.1", () => console.log("listening"));
