import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { api, fillIn, inChromium, open, send, type Ticket } from './rig';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 360, height: 740 };

interface Violation {
  id: string;
  nodes: { target: unknown; failureSummary: string }[];
}

/** What axe finds on the whole page, in words short enough to read. */
async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate('typeof axe !== "undefined"'))) await page.evaluate(AXE);
  const found = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${JSON.stringify(target)} ${failureSummary}`),
  );
}

/** Controls smaller than a fingertip; a link within a sentence may be (WCAG 2.5.5). */
function smallTargets(page: Page): Promise<string[]> {
  return page.locator('.card').evaluate((card) => {
    const controls = 'button, input:not([tabindex="-1"]), select, textarea, .star';
    const shown = [...card.querySelectorAll<HTMLElement>(controls)];
    return shown
      .map((element) => [element, element.getBoundingClientRect()] as const)
      .filter(([, { width, height }]) => width < 44 || height < 44)
      .map(([element, { width, height }]) => `${element.outerHTML} ${width}×${height}`);
  });
}

async function isClean(page: Page, state: string): Promise<void> {
  expect(await violations(page), state).toEqual([]);
  expect(await smallTargets(page), state).toEqual([]);
}

/** The page asks the server at once, as it does when the connection comes back. */
async function see(page: Page, selector: string): Promise<void> {
  await page.evaluate('window.dispatchEvent(new Event("online"))');
  await page.waitForSelector(selector);
}

inChromium('accessibility', () => {
  for (const locale of ['en-GB', 'ar'])
    for (const colorScheme of ['light', 'dark'] as const)
      it(`axe finds nothing in any state, ${colorScheme}, ${locale}, on a phone`, async () => {
        let ticket: Ticket | undefined;
        api.onTicket = (made) => {
          ticket = made;
        };
        const looks = { locale, colorScheme, viewport: PHONE, reducedMotion: 'reduce' } as const;
        const page = await open(`${api.url}/`, looks);
        await isClean(page, 'empty');
        const first = { name: `${'long-'.repeat(30)}name.txt`, mimeType: 'text/plain' };
        await page.setInputFiles('[name=file]', [
          { ...first, buffer: Buffer.from('x') },
          { ...first, name: 'empty', buffer: Buffer.from('') },
        ]);
        await page.waitForSelector('[data-testid=chosen]');
        await isClean(page, 'files beside the first message');
        const room = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(room).toBeLessThanOrEqual(PHONE.width);
        await page.click('button[type=submit]');
        await page.waitForSelector('.notice');
        await isClean(page, 'error');
        await send(page);
        await isClean(page, 'waiting');
        if (ticket === undefined) throw new Error('no ticket was made');

        const file = { name: 'plan.pdf', type: 'application/pdf', content: Buffer.from('x') };
        api.say(ticket, 'agent', 'Hello, see https://help.example.com/a', [file]);
        Object.assign(ticket, { status: 'answered', can_rate: true });
        await see(page, '[data-status=answered]');
        await page.click('.star:nth-child(3)');
        const chosen = { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('x') };
        await page.setInputFiles('[name=file]', [
          chosen,
          { ...chosen, name: 'b', buffer: Buffer.from('') },
        ]);
        await isClean(page, 'answered');

        api.say(ticket, 'human', 'Hello, this is Maya.');
        ticket.status = 'escalated';
        await see(page, '[data-status=escalated]');
        await isClean(page, 'person');

        Object.assign(ticket, { status: 'closed', rating: { score: 4 } });
        await see(page, '[data-testid=rating][data-score="4"]');
        await isClean(page, 'closed');
      });

  it('axe finds nothing in the corner, closed or open', async () => {
    api.pages['/corner'] = `<!doctype html><html lang="en"><head><title>Shop</title></head>
      <body><main><h1>Shop</h1></main>
      <script src="/widget.js" data-position="bottom-right"></script></body></html>`;
    const page = await open(`${api.url}/corner`, { viewport: PHONE });
    expect(await violations(page)).toEqual([]);
    await page.click('[data-testid=launcher]');
    expect(await violations(page)).toEqual([]);
    const panel = await page.locator('.panel').boundingBox();
    expect((panel?.x ?? -1) >= 0 && (panel?.y ?? -1) >= 0).toBe(true);
    expect(panel?.width).toBeLessThanOrEqual(PHONE.width);
    await page.locator('[name=message]').focus();
    await page.keyboard.press('Escape');
    expect(await page.locator('.panel').isVisible()).toBe(false);
  });

  it('a whole journey needs nothing but the keyboard, and the focus is always seen', async () => {
    let ticket: Ticket | undefined;
    api.onTicket = (made) => {
      ticket = made;
    };
    const page = await open(`${api.url}/`);
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.evaluate('document.body.focus()');
    await press('Tab');
    expect(await focused(page)).toMatchObject({ name: 'name', outlined: true });
    for (const words of ['Ada', 'ada@', '', 'T', 'Hello', 'How are you?']) {
      await page.keyboard.type(words);
      await press('Tab');
    }
    expect(await focused(page)).toMatchObject({ type: 'submit', outlined: true });
    await press('Enter');
    await page.waitForSelector('.notice:focus');
    // From the summary to what is wrong, and on from there.
    await press('Tab', 'Enter');
    expect(await focused(page)).toMatchObject({ name: 'email' });
    await press('End');
    await page.keyboard.type('example.com');
    await press('Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Enter');
    await page.waitForSelector('.title:focus');
    await page.waitForSelector('[data-testid=composer]');
    if (ticket === undefined) throw new Error('no ticket was made');

    // A reply, and what stands behind it in order.
    await press('Tab');
    expect(await focused(page)).toMatchObject({ name: 'reply', outlined: true });
    await page.keyboard.type('Are you there?');
    await press('Tab', 'Enter');
    await expect.poll(() => api.keys(/messages$/).length).toBe(1);
    await expect.poll(() => focused(page)).toMatchObject({ name: 'reply' });

    // The rating: into the group with one Tab, through it with arrows.
    api.say(ticket, 'agent', 'Here I am.');
    Object.assign(ticket, { status: 'closed', can_rate: true });
    await see(page, '[data-testid=rating]');
    await page.locator('.title').focus();
    await press('Tab');
    expect(await focused(page)).toMatchObject({ type: 'radio' });
    await press('Space', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'Tab');
    expect(await focused(page)).toMatchObject({ name: 'comment', outlined: true });
    await page.keyboard.type('Quick');
    await press('Tab', 'Enter');
    await page.waitForSelector('[data-testid=rating][data-score="4"]');
    const rated = api.requests.find(({ path }) => path.endsWith('/rating') && path !== '');
    expect(rated?.method === 'OPTIONS' || rated?.body.comment === 'Quick').toBe(true);

    // Out of the form again: nothing holds the focus.
    await page.locator('text=Ask something else').focus();
    await press('Enter');
    await page.waitForSelector('[name=message]');
    const visited: unknown[] = [];
    for (let presses = 0; presses < 8; presses += 1) {
      await press('Tab');
      visited.push((await focused(page)).name);
    }
    expect(visited).toEqual(['name', 'email', 'phone', 'category', 'subject', 'message', '', '']);
    await press('Tab');
    expect(await focused(page)).toEqual({});
  });

  it('colours of the reader’s own choice lose nothing', async () => {
    const page = await open(`${api.url}/`, { forcedColors: 'active' });
    const border = await page
      .locator('button[type=submit]')
      .evaluate((button) => getComputedStyle(button).borderTopStyle);
    expect(border).toBe('solid');
    await page.click('button[type=submit]');
    const wrong = await page
      .locator('[name=email]')
      .evaluate((field) => getComputedStyle(field).borderTopWidth);
    expect(wrong).toBe('3px');
  });

  it('who wants no motion gets none', async () => {
    api.onTicket = () => {};
    const page = await open(`${api.url}/`, { reducedMotion: 'reduce' });
    await send(page);
    const still = await page
      .locator('.writing i')
      .first()
      .evaluate((dot) => getComputedStyle(dot).animationName);
    expect(still).toBe('none');
  });

  it('right to left the first field stands on the right and addresses stay readable', async () => {
    const page = await open(`${api.url}/`, { locale: 'ur', viewport: { width: 900, height: 700 } });
    expect(await page.evaluate('[document.documentElement.lang, document.dir]')).toEqual([
      'ur',
      'rtl',
    ]);
    const left = async (name: string) =>
      (await page.locator(`[name=${name}]`).boundingBox())?.x ?? 0;
    expect(await left('name')).toBeGreaterThan(await left('email'));
    await fillIn(page);
    const email = await page.locator('[name=email]').evaluate((field) => {
      const { direction, textAlign } = getComputedStyle(field);
      return [direction, textAlign];
    });
    expect(email).toEqual(['ltr', 'right']);
    const typed = await page
      .locator('[name=message]')
      .evaluate((field) => getComputedStyle(field).direction);
    expect(typed).toBe('ltr');
  });

  it.each([
    ['200 % zoom of a window 640 px wide', { width: 320, height: 400 }, undefined],
    ['text twice as large', { width: 640, height: 800 }, '32px'],
  ])('nothing is cut off or scrolls sideways at %s', async (_, viewport, size) => {
    api.onTicket = (ticket) => {
      const name = `${'a-very-long-name-'.repeat(12)}.pdf`;
      const file = { name, type: 'application/pdf', content: Buffer.from('x') };
      api.say(ticket, 'agent', 'Donaudampfschifffahrtsgesellschaft'.repeat(9), [file]);
      Object.assign(ticket, { status: 'answered', can_rate: true });
    };
    const page = await open(`${api.url}/`, { viewport, locale: 'de' });
    if (size)
      await page
        .locator('[data-support-form]')
        .evaluate(
          (host, value) => (host as HTMLElement).style.setProperty('--fte-font-size', value),
          size,
        );
    const overflow = () =>
      page
        .locator('.card')
        .evaluate((card) => [
          document.documentElement.scrollWidth - innerWidth,
          card.scrollWidth - card.clientWidth,
        ]);
    await page.click('button[type=submit]');
    expect(await overflow()).toEqual([0, 0]);
    await send(page);
    await page.waitForSelector('[data-testid=download]');
    const chosen = {
      name: `${'b'.repeat(200)}.txt`,
      mimeType: 'text/plain',
      buffer: Buffer.from('x'),
    };
    await page.setInputFiles('[name=file]', chosen);
    await page.click('.star:nth-child(5)');
    expect(await overflow()).toEqual([0, 0]);
  });
});

/** What holds the focus inside the shadow root, and whether one can see it. */
function focused(page: Page) {
  return page.locator('[data-support-form]').evaluate((host) => {
    const element = host.shadowRoot?.activeElement as HTMLInputElement | null;
    if (!element) return {};
    const outline = getComputedStyle(element);
    const outlined = outline.outlineStyle !== 'none' && outline.outlineWidth !== '0px';
    return { name: element.name, type: element.type, outlined };
  });
}
