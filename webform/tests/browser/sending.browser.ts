import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { answerAfter, api, expectComplaints, fillIn, inChromium, open, send, site } from './rig';

const CREATE = /^\/tickets$/;

inChromium('one message, one ticket', () => {
  it('over a reload in the middle: what was under way goes on by itself with its key', async () => {
    const page = await open(`${api.url}/`);
    let held = true;
    await page.route('**/tickets', async (route) => {
      if (held) await new Promise(() => {});
      else await route.continue();
    });
    await fillIn(page);
    await page.click('button[type=submit]');
    const key = await page.evaluate<string>(
      'JSON.parse(Object.entries(sessionStorage).find(([n]) => n.endsWith("attempt"))[1]).key',
    );
    held = false;
    await page.reload();
    await page.waitForSelector('[data-testid=thread]');
    expect(api.keys(CREATE)).toEqual([key]);
    expect(api.tickets.size).toBe(1);
  });

  it('over an answer lost on the way, a reload, a double click and a 503', async () => {
    api.faults.push({ lost: true }, { status: 503, headers: { 'Retry-After': '600' } });
    const page = await open(`${api.url}/`);
    await fillIn(page);
    await page.dblclick('button[type=submit]');
    await page.waitForSelector('[data-testid=failure][data-kind=unavailable]');
    expect(await page.locator('button[type=submit]').isDisabled()).toBe(true);
    await page.reload();
    await page.waitForSelector('[data-testid=thread]');
    const keys = api.keys(CREATE);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(api.tickets.size).toBe(1);
  });

  it('waits as long as a 429 asks for and then sends by itself', async () => {
    const error = { reason: 'rate_limited', field: null, message: 'Slow down.' };
    api.faults.push({ status: 429, body: { error }, headers: { 'Retry-After': '2' } });
    const page = await open(`${api.url}/`);
    await fillIn(page);
    const start = Date.now();
    await page.click('button[type=submit]');
    await page.waitForSelector('[data-kind=rate_limited]');
    await page.waitForSelector('[data-testid=thread]');
    expect(Date.now() - start).toBeGreaterThanOrEqual(2_000);
    expect(new Set(api.keys(CREATE)).size).toBe(1);
  });

  it('where the browser refuses a store a double click is one ticket all the same', async () => {
    const page = await open(`${api.url}/`);
    await page.addInitScript(`for (const name of ['sessionStorage', 'localStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError') } })`);
    await page.reload();
    await fillIn(page);
    await page.dblclick('button[type=submit]');
    await page.waitForSelector('[data-testid=composer]');
    await page.fill('[name=reply]', 'Hello?');
    await page.click('[data-testid=composer] [type=submit]');
    await expect.poll(() => api.keys(/messages$/).length).toBe(1);
    expect(api.tickets.size).toBe(1);
  });

  it('a reply is one message over a lost answer', async () => {
    const page = await open(`${api.url}/`);
    await send(page);
    api.faults.push({ lost: true });
    await page.fill('[name=reply]', 'Are you there?');
    await page.dblclick('[data-testid=composer] [type=submit]');
    await expect.poll(() => api.keys(/messages$/).length).toBe(2);
    expect(new Set(api.keys(/messages$/)).size).toBe(1);
    await page.waitForSelector('[data-author=customer] >> nth=1');
    await page.evaluate('window.dispatchEvent(new Event("online"))');
    await page.waitForTimeout(300);
    expect(await page.locator('[data-author=customer]').count()).toBe(2);
    expect([...api.tickets.values()][0]?.messages).toHaveLength(2);
  });

  it('drafts survive a reload and are cleared once sent; nothing stays on the device', async () => {
    const page = await open(`${api.url}/`);
    await fillIn(page, 'Half a thought');
    await page.reload();
    expect(await page.inputValue('[name=message]')).toBe('Half a thought');
    expect(await page.inputValue('[name=category]')).toBe('technical');
    await page.click('button[type=submit]');
    await page.waitForSelector('[data-testid=composer]');
    const stored = await page.evaluate<string>(
      'JSON.stringify([{ ...sessionStorage }, { ...localStorage }])',
    );
    expect(JSON.parse(stored)[1]).toEqual({});
    expect(Object.keys(JSON.parse(stored)[0]).some((name) => name.endsWith(':attempt'))).toBe(
      false,
    );
    await page.click('text=Ask something else');
    expect(await page.inputValue('[name=message]')).toBe('');
  });
});

inChromium('on any page', () => {
  const POLICY = () =>
    `default-src 'none'; script-src 'self' ${api.url}; connect-src ${api.url}; style-src 'none'; form-action 'none'; require-trusted-types-for 'script'`;

  function embed(attributes = ''): string {
    site.pages['/contact'] = `<!doctype html><html lang="en"><head>
      <meta http-equiv="Content-Security-Policy" content="${POLICY()}"></head>
      <body><div id="help"></div>
      <script src="${api.url}/widget.js" data-target="#help" ${attributes}></script></body></html>`;
    return `${site.url}/contact`;
  }

  async function paste(page: Page, name: string, text: string) {
    await page.locator('[name=reply]').evaluate(
      (field, [title, content]) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([content ?? ''], title ?? ''));
        const options = { clipboardData, bubbles: true, composed: true, cancelable: true };
        field.dispatchEvent(new ClipboardEvent('paste', options));
      },
      [name, text],
    );
  }

  async function drop(page: Page, name: string, text: string, onto = '.thread') {
    await page.locator(onto).evaluate(
      (place, [title, content]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([content ?? ''], title ?? ''));
        for (const kind of ['dragenter', 'dragover', 'drop'])
          place.dispatchEvent(
            new DragEvent(kind, { dataTransfer, bubbles: true, composed: true, cancelable: true }),
          );
      },
      [name, text],
    );
  }

  it('under a strict policy, files are chosen, dropped and pasted, sent once, and fetched again', async () => {
    const page = await open(embed());
    expectComplaints(/favicon/);
    await send(page);
    const buffer = Buffer.from('chosen');
    await page.setInputFiles('[name=file]', [
      { name: 'chosen.txt', mimeType: 'text/plain', buffer },
      { name: 'unwanted.txt', mimeType: 'text/plain', buffer },
    ]);
    await drop(page, 'dropped.txt', 'dropped');
    await paste(page, 'pasted.png', 'pasted');
    await page.click('[aria-label="Remove unwanted.txt"]');
    api.faults.push({ lost: true });
    await page.click('[data-testid=composer] [type=submit]');
    await page.waitForSelector('[data-testid=download] >> nth=2');
    const keys = api.keys(/attachments$/);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    const [ticket] = api.tickets.values();
    const sent = ticket?.messages[1]?.attachments.map(({ id, name }) => [
      name,
      api.contents.get(id)?.toString(),
    ]);
    expect(sent).toEqual([
      ['chosen.txt', 'chosen'],
      ['dropped.txt', 'dropped'],
      ['pasted.png', 'pasted'],
    ]);
    expect(await page.locator('[data-testid=chosen]').count()).toBe(0);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download: dropped.txt' }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toBe('dropped.txt');
    const stream = await file.createReadStream();
    let text = '';
    for await (const chunk of stream) text += chunk;
    expect(text).toBe('dropped');
  });

  it('files chosen beside the first message follow it once, though an answer is lost', async () => {
    const page = await open(embed());
    expectComplaints(/favicon/);
    const buffer = Buffer.from('chosen');
    await page.setInputFiles('[name=file]', [
      { name: 'first.txt', mimeType: 'text/plain', buffer },
    ]);
    await drop(page, 'dropped.txt', 'dropped', 'form');
    // The ticket is taken; the answer to its files is lost.
    api.faults.push({}, { lost: true });
    await send(page);
    await page.waitForSelector('[data-testid=download] >> nth=1');
    // The page may learn of the files from the thread before it has tried again.
    const keys = () => api.keys(/attachments$/);
    await expect.poll(() => keys().length, { timeout: 10_000 }).toBe(2);
    expect(new Set(keys()).size).toBe(1);
    const [ticket] = api.tickets.values();
    const sent = ticket?.messages[1]?.attachments.map(({ name }) => name);
    expect(sent).toEqual(['first.txt', 'dropped.txt']);
  });

  it('shows how much of a large file has left', async () => {
    const page = await open(embed());
    expectComplaints(/favicon/);
    await send(page);
    const session = await page.context().newCDPSession(page);
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 1_000_000,
    });
    const buffer = Buffer.alloc(2_000_000);
    await page.setInputFiles('[name=file]', { name: 'big.bin', mimeType: 'x/y', buffer });
    await page.click('[data-testid=composer] [type=submit]');
    const bar = page.getByRole('progressbar', { name: 'Sending the files' });
    const shares = new Set<number>();
    await expect
      .poll(
        async () => {
          const value = await bar.getAttribute('value', { timeout: 100 }).catch(() => null);
          if (value !== null) shares.add(Number(value));
          return shares.size;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(1);
    await page.waitForSelector('[data-testid=download]', { timeout: 15_000 });
    expect(await bar.count()).toBe(0);
  });

  it('tells a mistaken file’s reason before anything is sent', async () => {
    api.config = { max_file_bytes: 1_000_000, max_files: 2, min_ms: 0, challenge: null };
    const page = await open(embed());
    expectComplaints(/favicon/);
    await send(page);
    await page.waitForSelector('text=Up to 2 files · 1 MB each at most');
    const buffer = Buffer.alloc(1_000_001);
    await page.setInputFiles('[name=file]', { name: 'big.bin', mimeType: 'x/y', buffer });
    await page.waitForSelector('text=big.bin is larger than 1 MB and was left out.');
    expect(api.keys(/attachments$/)).toEqual([]);
  });

  it('takes first values, a language and a signed identity from the script’s attributes', async () => {
    const attributes =
      'data-lang="de" data-name="Ada Example" data-email="ada@example.com" data-category="billing" data-identity="signed.token"';
    const page = await open(embed(attributes));
    expectComplaints(/favicon/);
    await page.fill('[name=subject]', 'Rechnung');
    await page.fill('[name=message]', 'Wo finde ich sie?');
    await page.click('text=Nachricht senden');
    await page.waitForSelector('[data-testid=composer]');
    const created = api.requests.find(({ method, path }) => method === 'POST' && CREATE.test(path));
    expect(created?.body).toMatchObject({
      name: 'Ada Example',
      category: 'billing',
      identity: 'signed.token',
    });
    expect(await page.locator('[data-testid=trust]').count()).toBe(0);
  });

  it('asks nobody but its API, from the first byte to the rating', async () => {
    answerAfter(0, 'See https://help.example.com/a');
    const page = await open(embed());
    expectComplaints(/favicon/);
    const asked = new Set<string>();
    page.on('request', (request) => asked.add(new URL(request.url()).origin));
    await send(page);
    await page.waitForSelector('[data-testid=rating]');
    await page.click('.star:nth-child(5)');
    await page.click('text=Send rating');
    await page.waitForSelector('[data-score="5"]');
    expect([...asked]).toEqual([api.url]);
    expect(site.requests).toEqual([]);
  });

  it('the mailed link opens the thread, and its token is gone from the address bar and the history', async () => {
    api.onTicket = (ticket) => {
      ticket.trust = 'verified';
      api.say(ticket, 'agent', 'Hello.');
    };
    await send(await open(`${api.url}/`));
    const [ticket] = api.tickets.values();
    const page = await open(`${api.url}/#ticket=${ticket?.id}&token=${ticket?.token}`);
    await page.waitForSelector('[data-author=agent]');
    await page.waitForSelector('[data-trust=verified]');
    expect(page.url()).toBe(`${api.url}/`);
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
  });

  it('an exotic form filler does not turn a person into a robot', async () => {
    const page = await open(`${api.url}/`);
    const trap = page.locator('[name=extra_topic]');
    const seen = await trap.locator('xpath=ancestor::div[1]').boundingBox();
    expect(seen?.width).toBe(1);
    const error = { reason: 'trap', field: 'page.trap', message: 'No.' };
    api.faults.push({ status: 422, body: { error } });
    await trap.evaluate((field) => {
      (field as HTMLInputElement).value = 'filled';
    });
    await fillIn(page);
    await page.click('button[type=submit]');
    await page.waitForSelector('[data-kind=trapped]:focus');
    await page.click('button[type=submit]');
    await page.waitForSelector('[data-testid=composer]');
    const [first, second] = api.requests.filter(({ method }) => method === 'POST');
    expect([first?.body.page.trap, second?.body.page.trap]).toEqual(['filled', '']);
  });
});
