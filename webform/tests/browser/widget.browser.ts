import { describe, expect, it } from 'vitest';
import { answerAfter, api, expectComplaints, fillIn, inChromium, open, site } from './rig';

const FOREIGN = `<!doctype html><html lang="fr"><head><style>
  html { font-size: 62.5% } * { color: red !important; font: 40px serif !important }
  input, button { display: none !important } div { text-align: right; text-transform: uppercase }
  #help { --fte-accent: #6b21a8; --fte-radius: 4px }
</style></head><body><h1>Boutique</h1><div id="help"></div>SCRIPT</body></html>`;

inChromium('the built form in Chromium', () => {
  describe('on its own page', () => {
    it('sends, waits, and shows the answer without a reload', async () => {
      answerAfter(1_500);
      const page = await open(`${api.url}/`);
      await fillIn(page);
      await page.click('button[type=submit]');
      await page.waitForSelector('[data-testid=status][data-status=answered]');
      const answer = page.locator('[data-testid=thread] [data-author=agent] .text');
      expect(await answer.textContent()).toContain('Forgot password?');
      expect(await page.evaluate('performance.getEntriesByType("navigation").length')).toBe(1);
    });

    it('keeps the thread over a reload, and its link opens it elsewhere', async () => {
      answerAfter(0);
      const page = await open(`${api.url}/`, {
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      await fillIn(page);
      await page.click('button[type=submit]');
      await page.waitForSelector('[data-author=agent]');
      await page.reload();
      await page.waitForSelector('[data-author=agent]');
      await page.click('text=Copy link');
      await page.waitForSelector('text=Link copied');
      const link = await page.evaluate<string>('navigator.clipboard.readText()');
      const other = await open(link);
      await other.waitForSelector('[data-author=agent]');
      expect(other.url()).toBe(`${api.url}/`);
      expect(api.tickets.size).toBe(1);
    });

    it('makes one ticket of a double click and of answers lost on the way', async () => {
      api.faults.push({ lost: true }, { status: 503 });
      const page = await open(`${api.url}/`);
      await fillIn(page);
      await page.dblclick('button[type=submit]');
      await page.waitForSelector('[data-testid=thread]');
      const keys = api.requests.filter(({ method }) => method === 'POST').map(({ key }) => key);
      expect(keys).toHaveLength(3);
      expect(new Set(keys).size).toBe(1);
      expect(api.tickets.size).toBe(1);
    });

    it('loses no click to an error that appears as a field is left', async () => {
      const page = await open(`${api.url}/`);
      await page.fill('[name=email]', 'ada@');
      await page.click('button[type=submit]');
      const summary = page.locator('.notice');
      await summary.waitFor();
      expect(await summary.evaluate((element) => element.matches(':focus'))).toBe(true);
    });

    it('says that it is offline and sends by itself when connected again', async () => {
      const page = await open(`${api.url}/`);
      await fillIn(page);
      await page.context().setOffline(true);
      await page.click('button[type=submit]');
      await page.waitForSelector('[data-testid=failure][data-kind=offline]');
      expect(api.tickets.size).toBe(0);
      await page.context().setOffline(false);
      await page.waitForSelector('[data-testid=thread]');
      expect(api.tickets.size).toBe(1);
    });

    it('can be filled in and sent with the keyboard alone', async () => {
      const page = await open(`${api.url}/`);
      await page.focus('[name=name]');
      for (const words of ['Ada', 'ada@example.com', '', 'T', 'Hello', 'How are you?']) {
        await page.keyboard.type(words);
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
      await page.waitForSelector('[data-testid=thread]');
      expect(api.requests.find(({ method }) => method === 'POST')?.body).toEqual({
        name: 'Ada',
        email: 'ada@example.com',
        subject: 'Hello',
        category: 'technical',
        message: 'How are you?',
        page: { trap: '', opened_ms: expect.any(Number) },
      });
    });

    it.each([320, 360, 1280])(
      'fits a window %i px wide, form, errors and thread',
      async (width) => {
        answerAfter(0, `https://help.example.com/${'very-long-'.repeat(20)}\n${'x'.repeat(300)}`);
        const page = await open(`${api.url}/`, { viewport: { width, height: 720 } });
        const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth');
        await page.click('button[type=submit]');
        expect(await overflow()).toBe(width);
        await fillIn(page);
        await page.click('button[type=submit]');
        await page.waitForSelector('[data-author=agent]');
        expect(await overflow()).toBe(width);
      },
    );

    it('speaks the browser’s language on its own page', async () => {
      const page = await open(`${api.url}/`, { locale: 'de-AT' });
      expect(await page.getByRole('heading').textContent()).toBe('Wie können wir helfen?');
      expect(await page.evaluate('[document.title, document.documentElement.lang]')).toEqual([
        'Wie können wir helfen?',
        'de',
      ]);
    });
  });

  describe('on somebody else’s page', () => {
    it('works across origins, and neither side’s styles reach the other', async () => {
      answerAfter(500);
      const script = `<script src="${api.url}/widget.js" data-target="#help" data-theme="dark"></script>`;
      site.pages['/contact'] = FOREIGN.replace('SCRIPT', script);
      const page = await open(`${site.url}/contact`);
      expect(await page.getByRole('heading', { level: 2 }).textContent()).toContain('Comment');
      const button = page.locator('button[type=submit]');
      const look = await button.evaluate((element) => {
        const { display, fontSize, backgroundColor, borderRadius } = getComputedStyle(element);
        return { display, fontSize, backgroundColor, borderRadius };
      });
      expect(look).toEqual({
        display: 'flex',
        fontSize: '16px',
        backgroundColor: 'rgb(107, 33, 168)',
        borderRadius: '4px',
      });
      await fillIn(page);
      await button.click();
      await page.waitForSelector('[data-status=answered]');
      expect(api.tickets.size).toBe(1);
      expect(site.requests).toEqual([]);
    });

    it.each([
      ['auto', 'dark', 'dark'],
      ['auto', 'light', 'light'],
      ['light', 'dark', 'light'],
      ['dark', 'light', 'dark'],
    ] as const)('with the theme %s on a %s device it is %s', async (theme, colorScheme, seen) => {
      site.pages['/contact'] = `<!doctype html><html lang="en"><link rel="icon" href="data:,">
        <body><script src="${api.url}/widget.js" data-theme="${theme}"></script></body></html>`;
      const page = await open(`${site.url}/contact`, { colorScheme });
      const look = await page.locator('.card').evaluate((card) => {
        const { backgroundColor, colorScheme: scheme } = getComputedStyle(card);
        return [backgroundColor, scheme];
      });
      const surface = { dark: 'rgb(20, 29, 33)', light: 'rgb(255, 255, 255)' };
      expect(look).toEqual([surface[seen], seen]);
    });

    it('stands where its script stands, on a page without a script policy for styles', async () => {
      const policy = `default-src 'none'; script-src ${api.url}; connect-src ${api.url}; style-src 'none'`;
      site.pages['/contact'] = `<!doctype html><html lang="en"><head>
      <meta http-equiv="Content-Security-Policy" content="${policy}"><link rel="icon" href="data:,">
      </head><body><p id="before">Before</p><script src="${api.url}/widget.js"></script>
      <p id="after">After</p></body></html>`;
      const page = await open(`${site.url}/contact`);
      expectComplaints(/data:,/);
      const order = await page.evaluate<string[]>(
        '[...document.body.children].map((e) => e.id || e.tagName.toLowerCase())',
      );
      expect(order).toEqual(['before', 'script', 'div', 'after']);
      const padding = await page.locator('.card').evaluate((e) => getComputedStyle(e).paddingTop);
      expect(padding).not.toBe('0px');
    });
  });
});
