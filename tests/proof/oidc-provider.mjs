// An OpenID provider on loopback, at the port of its first argument, for clients that ask for tokens of their own, which
// live as many seconds as its second argument says. Once it listens it prints a token of a user, which it verifies in the
// query of a request to /me (RFC 6750, 2.3). Its /token/introspection verifies Basic authentication.
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
  accessTokenTTL: Number(process.argv[3]),
  jwt: { sign: { alg: "RS256" } },
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client("post", "s+cr/et==&%", "client_secret_post"),
    client("basic", "s+cr/et==&%", "client_secret_basic"),
    client("introspecting", "plain-secret", "client_secret_basic"),
  ],
  cookies: { keys: ["unused"] },
  scopes: ["openid", "read", "write"],
  acceptQueryParamAccessTokens: true,
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    introspection: { enabled: true },
    userinfo: { enabled: true },
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: () => resource,
    },
  },
});
const grant = new provider.Grant({ accountId: "a user", clientId: "introspecting" });
grant.addOIDCScope("openid");
const token = new provider.AccessToken({
  accountId: "a user",
  client: await provider.Client.find("introspecting"),
  grantId: await grant.save(),
  gty: "authorization_code",
  scope: "openid",
});
const value = await token.save();
provider.listen(port, "127.0.0.1", () => console.log(`listening ${value}`));
