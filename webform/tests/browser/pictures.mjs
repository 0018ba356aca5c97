/**
 * `make screenshots`: pictures of the form for the README, the same on every run: the clock stands
 * still, the language, the faces and the sizes are given, and nothing moves.
 *
 * node tests/browser/pictures.mjs FOLDER
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeApi } from '../fake-api.mjs';
import { findChromium, launch } from './chromium.mjs';

const NOW = new Date('2026-11-02T09:41:00Z');
const MINUTE_MS = 60_000;
const MOST_BYTES = 200_000;

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Parameters<FakeApi['onTicket']>[0]} Ticket */
/** @typedef {{ locale: string, viewport: { width: number, height: number }, colorScheme: 'light' | 'dark', scale: number }} Look */

/** @type {Record<string, Look>} */
const LOOKS = {
  light: {
    locale: 'en-GB',
    viewport: { width: 760, height: 600 },
    colorScheme: 'light',
    scale: 1.5,
  },
  dark: { locale: 'en-GB', viewport: { width: 760, height: 600 }, colorScheme: 'dark', scale: 1.5 },
  phone: {
    locale: 'en-GB',
    viewport: { width: 390, height: 700 },
    colorScheme: 'light',
    scale: 1.5,
  },
  arabic: { locale: 'ar', viewport: { width: 760, height: 600 }, colorScheme: 'light', scale: 1.5 },
};

const ENGLISH = {
  name: 'Grace Example',
  subject: 'Exporting my projects',
  question: 'How do I export all projects at once? Our accountant needs them by Friday.',
  answer:
    'Hello Grace,\n\nOpen Settings, then Data, and choose “Export everything”. You get one archive with a file for each project; it is ready within a few minutes.\n\nMore about it: https://help.example.com/exporting-your-data',
  refund: 'I was charged twice in October. The invoice shows it.',
  refundSubject: 'Charged twice',
  handoff: 'Thank you, Grace. This is for a colleague, who will answer you here today.',
  person:
    'Hello Grace, Sam here. I see both charges; the second one is on its way back to your card.',
  file: 'invoice-october.pdf',
};

const ARABIC = {
  name: 'ليلى مثال',
  subject: 'تصدير مشاريعي',
  question: 'كيف أصدّر كل المشاريع دفعة واحدة؟ يحتاج إليها المحاسب قبل يوم الجمعة.',
  answer:
    'مرحبًا ليلى،\n\nافتحي الإعدادات ثم البيانات، واختاري «تصدير الكل». ستحصلين على أرشيف واحد فيه ملف لكل مشروع، ويكون جاهزًا خلال دقائق.\n\nالمزيد عن ذلك: https://help.example.com/exporting-your-data',
  refund: 'خُصم المبلغ مرتين في أكتوبر، والفاتورة تبيّن ذلك.',
  refundSubject: 'خصم مكرر',
  handoff: 'شكرًا لك يا ليلى. سيتولى أحد الزملاء هذا الأمر ويجيبك هنا اليوم.',
  person: 'مرحبًا ليلى، معك سامي. أرى عمليتي الخصم، والمبلغ الثاني في طريقه إلى بطاقتك.',
  file: 'فاتورة-أكتوبر.pdf',
};

/** @typedef {typeof ENGLISH} Words */

/** @param {Page} page @param {Words} words @param {{ subject: string, question: string }} asked */
async function send(page, words, { subject, question }) {
  await page.fill('[name=name]', words.name);
  await page.fill('[name=email]', 'grace@example.net');
  await page.selectOption('[name=category]', 'technical');
  await page.fill('[name=subject]', subject);
  await page.fill('[name=message]', question);
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-testid=composer]');
}

/** Each brings the page into its state. @type {Record<string, (page: Page, words: Words, api: FakeApi) => Promise<void>>} */
const STATES = {
  async empty() {},
  async error(page, words) {
    await page.fill('[name=name]', words.name);
    await page.fill('[name=email]', 'grace@example');
    await page.fill('[name=subject]', words.subject);
    await page.click('button[type=submit]');
    await page.waitForSelector('.notice');
  },
  async answered(page, words, api) {
    api.onTicket = (ticket) => {
      api.now = () => NOW;
      api.say(ticket, 'agent', words.answer);
      Object.assign(ticket, { status: 'answered', can_rate: true });
    };
    await send(page, words, words);
    await page.click('.star:nth-child(4)');
    await page
      .locator('.title')
      .evaluate((heading) => /** @type {HTMLElement} */ (heading).focus());
  },
  async person(page, words, api) {
    api.trust = 'verified';
    api.onTicket = (ticket) => {
      const content = Buffer.alloc(183_500);
      ticket.messages[0]?.attachments.push({
        id: 'a-1',
        name: words.file,
        content_type: 'application/pdf',
        size: content.length,
      });
      api.now = () => new Date(NOW.getTime() - 5 * MINUTE_MS);
      api.say(ticket, 'agent', words.handoff);
      api.now = () => NOW;
      api.say(ticket, 'human', words.person);
      ticket.status = 'escalated';
    };
    await send(page, words, { subject: words.refundSubject, question: words.refund });
  },
};

/** @param {import('playwright-core').Browser} browser @param {string} state @param {string} look */
async function picture(browser, state, look) {
  const { scale, ...options } = /** @type {Look} */ (LOOKS[look]);
  const api = await new FakeApi().start();
  api.now = () => new Date(NOW.getTime() - 6 * MINUTE_MS);
  const context = await browser.newContext({
    ...options,
    deviceScaleFactor: scale,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW);
  await page.goto(`${api.url}/`);
  const host = page.locator('[data-support-form]');
  await host.evaluate((element) =>
    /** @type {HTMLElement} */ (element).style.setProperty(
      '--fte-font',
      '"Noto Sans", "Noto Sans Arabic", sans-serif',
    ),
  );
  await STATES[state]?.(page, options.locale === 'ar' ? ARABIC : ENGLISH, api);
  await page.evaluate('document.fonts.ready.then(() => window.scrollTo(0, 0))');
  const image = await page.screenshot({ fullPage: true, animations: 'disabled' });
  await context.close();
  await api.stop();
  return image;
}

const folder = process.argv[2];
const executable = findChromium();
if (!folder || !executable) {
  console.error('usage: node tests/browser/pictures.mjs FOLDER, with Chromium on the PATH');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const browser = await launch(executable);
for (const state of Object.keys(STATES)) {
  for (const look of Object.keys(LOOKS)) {
    const file = join(folder, `form-${state}-${look}.png`);
    await writeFile(file, await picture(browser, state, look));
    const { size } = await stat(file);
    console.log(`${file} ${Math.ceil(size / 1000)} kB`);
    if (size > MOST_BYTES) process.exitCode = 1;
  }
}
await browser.close();
