// Opens the dashboard in Chromium as people see it (light, dark, a phone), keeps a
// picture of each, and prints as JSON what is wrong with it.
//   node look.js TOOLS URL DIRECTORY      (TOOLS: where node_modules is)
const path = require("path");
const [tools, url, directory] = process.argv.slice(2);
const load = (name) => require(path.join(tools, "node_modules", name));
const { chromium } = load("playwright-core");

const shapes = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

// What a reader must find, whatever the shape.
async function contents(page) {
  return page.evaluate(() => ({
    state: document.getElementById("state").textContent,
    neighbors: document.querySelectorAll("#neighbors tr").length,
    routes: document.querySelectorAll("#routes tr").length,
    ports: document.querySelectorAll("#ports .row").length,
    members: [...document.querySelectorAll("#routes .member .share")].map((s) => s.textContent),
    events: document.querySelectorAll("#events li").length,
    sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    outside: performance.getEntriesByType("resource").map((r) => r.name).filter((n) => new URL(n).host !== location.host),
  }));
}

// Tab by tab: everything that can be used can be reached.
async function reached(page) {
  const seen = new Set();
  for (let i = 0; i < 40; ++i) {
    await page.keyboard.press("Tab");
    const id = await page.evaluate(() => document.activeElement.id || document.activeElement.name ||
      document.activeElement.getAttribute("aria-label") || document.activeElement.tagName);
    if (id === "BODY") break;
    seen.add(id);
  }
  return [...seen];
}

(async () => {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const results = {};
  for (const { name, ...shape } of shapes) {
    // axe is put into the page by the test, which the page's own policy forbids.
    const context = await browser.newContext({ ...shape, bypassCSP: true });
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(url);
    await page.waitForFunction(() => document.querySelectorAll("#routes tr").length > 0 &&
      document.querySelectorAll("#neighbors tr").length > 0, null, { timeout: 20000 });
    await page.waitForTimeout(name === "light" ? 9000 : 5000); // a few points of each line
    await page.screenshot({ path: path.join(directory, name + ".png"), fullPage: true });
    await page.addScriptTag({ path: path.join(tools, "node_modules/axe-core/axe.min.js") });
    const found = await page.evaluate(() => globalThis.axe.run());
    const byKeyboard = await reached(page); // before anything has the focus
    await page.fill("#find-neighbor", "no such neighbor");
    const hidden = await page.evaluate(() => document.querySelectorAll("#neighbors tr").length);
    await page.fill("#find-neighbor", "");
    results[name] = {
      errors,
      ...(await contents(page)),
      filtered: hidden,
      reached: byKeyboard,
      violations: found.violations.map((v) => ({ impact: v.impact, id: v.id, where: v.nodes.map((n) => n.html.slice(0, 200)) })),
    };
    await context.close();
  }
  await browser.close();
  console.log(JSON.stringify(results));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
