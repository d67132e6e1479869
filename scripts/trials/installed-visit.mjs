// In the installed machine: orders テスト受付 from the staff page as its form does, and prints what the page then says.
const page = 'http://127.0.0.1:8490';
const deadline = Date.now() + 90_000;
const read = async () => (await fetch(`${page}/`)).text();
const formOf = (text) => /<form method="post" action="\/test-visit">(.*?)<\/form>/s.exec(text)?.[1];
let text = '';
for (;;) {
  text = await read().catch(() => '');
  if (formOf(text) !== undefined || Date.now() > deadline) break;
  await new Promise((resolve) => setTimeout(resolve, 500));
}
const form = new URLSearchParams();
for (const [input] of (formOf(text) ?? '').matchAll(/<input[^>]*>/g))
  form.set(/name="([^"]*)"/.exec(input)?.[1] ?? '', /value="([^"]*)"/.exec(input)?.[1] ?? '');
const answer = await fetch(`${page}/test-visit`, { method: 'POST', body: form, headers: { origin: page } });
await answer.text();
const after = await read();
const steps = [...after.matchAll(/<span class="pill (ok|bad)">[^<]*<\/span> ([^<]*)/g)].map(([, is, what]) => ({
  is,
  what: what.trim(),
}));
const report = /<section class="test-visit">.*?<\/section>/s.exec(after)?.[0] ?? '';
const own = [...report.matchAll(/<span class="pill (ok|bad)">/g)].map(([, is]) => is);
console.log(
  JSON.stringify({
    status: answer.status,
    accepted: own.length === 3 && own.every((is) => is === 'ok'),
    isNamedTest: after.includes('【テスト】'),
    steps: own,
    all: steps.length,
    report: report.replaceAll(/<[^>]*>/g, ' ').slice(0, 600),
  }),
);
