import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { FakeApi } from '../fake-api.mjs';
import { findChromium, launch } from './chromium.mjs';

const executable = findChromium();
if (executable === undefined)
  console.warn('Skipped: no Chromium here (install it or set CHROMIUM)');

export type Ticket = Parameters<FakeApi['onTicket']>[0];

/** The API with the form on it, and a site of somebody else's. */
export let api: FakeApi;
export let site: FakeApi;

let browser: Browser;
const contexts: BrowserContext[] = [];
/** What pages complained about: script errors, refused styles, requests to anyone else. */
const complaints: string[] = [];

/** Takes back complaints that a test brought about itself. */
export function expectComplaints(pattern: RegExp): void {
  const others = complaints.filter((line) => !pattern.test(line));
  complaints.splice(0, complaints.length, ...others);
}

/** Tests in a real browser; without one they are skipped and say so. */
export function inChromium(name: string, tests: () => void): void {
  describe.skipIf(executable === undefined)(name, () => {
    beforeAll(async () => {
      browser = await launch(executable ?? '');
    });
    afterAll(() => browser.close());
    beforeEach(async () => {
      complaints.length = 0;
      api = await new FakeApi().start();
      site = await new FakeApi().start();
    });
    afterEach(async () => {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
      await Promise.all([api.stop(), site.stop()]);
      expect(complaints).toEqual([]);
    });
    tests();
  });
}

/** Opens a page as a new visitor; whatever it asks anybody but the API or its own site fails the test. */
export async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  contexts.push(context);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (line) => {
    if (/Content Security Policy|Refused|CORS/.test(line.text())) complaints.push(line.text());
  });
  page.on('request', (request) => {
    const known = [api.url, site.url, 'data:', 'blob:'];
    if (!known.some((start) => request.url().startsWith(start)))
      complaints.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  const there = 'button[type=submit], [data-testid=thread], [data-testid=launcher]';
  await page.waitForSelector(there, { state: 'attached' });
  return page;
}

export async function fillIn(page: Page, message = 'How do I reset my password?') {
  await page.fill('[name=name]', 'Ada Example');
  await page.fill('[name=email]', 'ada@example.com');
  await page.selectOption('[name=category]', 'technical');
  await page.fill('[name=subject]', 'Signing in');
  await page.fill('[name=message]', message);
}

export async function send(page: Page, message?: string) {
  await fillIn(page, message);
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-testid=composer]');
}

export function answerAfter(milliseconds: number, text = 'Choose "Forgot password?" there.') {
  api.onTicket = (ticket: Ticket) => {
    setTimeout(() => {
      ticket.status = 'answered';
      ticket.can_rate = true;
      api.say(ticket, 'agent', text);
    }, milliseconds);
  };
}
