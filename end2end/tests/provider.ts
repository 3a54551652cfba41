// A fake identity provider: a page that asks for the account, and the endpoints of OpenID Connect.
import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Provider {
  issuer: string;
  close: () => void;
}

interface Login {
  nonce: string;
  challenge: string;
  returnTo: string;
  state: string;
  subject?: string;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function openProvider(client: string): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const logins = new Map<string, Login>();
  let issuer = "";
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", issuer);
    const send = (value: object, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    const part = (name: string) => url.searchParams.get(name) ?? "";
    if (url.pathname === "/.well-known/openid-configuration") {
      send({
        issuer,
        authorization_endpoint: `${issuer}/authorise`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
      });
    } else if (url.pathname === "/keys") {
      send({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" }] });
    } else if (url.pathname === "/authorise") {
      const code = randomUUID();
      logins.set(code, {
        nonce: part("nonce"),
        challenge: part("code_challenge"),
        returnTo: part("redirect_uri"),
        state: part("state"),
      });
      response.writeHead(200, { "content-type": "text/html" });
      response.end(
        `<!doctype html><html lang="en"><title>Example University</title><link rel="icon" href="data:,">
         <h1>Example University</h1><form action="/answer"><input type="hidden" name="code" value="${code}">
         <label>Account <input name="subject"></label> <button name="do" value="sign in">Sign in</button>
         <button name="do" value="decline">Not now</button></form></html>`,
      );
    } else if (url.pathname === "/answer") {
      const login = logins.get(part("code"));
      if (!login) return send({}, 400);
      login.subject = part("subject");
      const answer = part("do") === "decline" ? { error: "access_denied" } : { code: part("code") };
      const query = new URLSearchParams({ ...answer, state: login.state } as Record<string, string>);
      response.writeHead(302, { location: `${login.returnTo}?${query}` });
      response.end();
    } else if (url.pathname === "/token") {
      let body = "";
      for await (const piece of request) body += piece;
      const form = new URLSearchParams(body);
      const login = logins.get(form.get("code") ?? "");
      logins.delete(form.get("code") ?? "");
      const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      if (!login?.subject || challenge !== login.challenge) return send({ error: "invalid_grant" }, 400);
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, aud: client, sub: login.subject, nonce: login.nonce, iat: now, exp: now + 300, auth_time: now };
      const text = `${encode({ alg: "RS256", kid: "one", typ: "JWT" })}.${encode(claims)}`;
      const signature = createSign("RSA-SHA256").update(text).sign(privateKey, "base64url");
      send({ access_token: "x", token_type: "Bearer", id_token: `${text}.${signature}` });
    } else {
      send({}, 404);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { issuer, close: () => server.close() };
}
