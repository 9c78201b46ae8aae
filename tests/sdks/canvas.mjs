// Runs docs/canvas.html in a headless Chromium: first from the origin that may call, then from one that may not.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const given = JSON.parse(process.argv[2]);
const require = createRequire(join(process.cwd(), "package.json"));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)).href)).default;
const chromium = await load("@sparticuz/chromium");
const puppeteer = await load("puppeteer-core");

const types = { html: "text/html", mjs: "text/javascript" };
async function serve(port) {
  const server = createServer(async (request, response) => {
    const name = request.url.slice(1).replace(/[^a-z.]/g, "");
    try {
      response.setHeader("Content-Type", types[name.split(".").pop()] ?? "text/plain");
      response.end(await readFile(join(given.docs, name)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return server;
}

const servers = [await serve(3999), await serve(0)];
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  headless: "shell",
  args: chromium.args.filter((each) => !each.includes("web-security")),
  defaultViewport: { width: 900, height: 640 },
});
const shown = [];
try {
  for (const server of servers) {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/canvas.html`);
    await page.$eval("#gateway", (field, value) => (field.value = value), given.gateway);
    await page.type("#token", given.token);
    await page.click("button");
    await page.waitForSelector("#result[data-done]");
    shown.push(await page.$eval("#result", (result) => result.textContent));
    if (shown.length === 1) {
      await page.$eval("#gateway", (field) => (field.value = "http://127.0.0.1:8082"));
      await page.screenshot({ path: given.picture });
    }
  }
} finally {
  await browser.close();
  servers.forEach((server) => server.close());
}
console.log(JSON.stringify(shown));
