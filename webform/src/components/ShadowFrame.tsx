import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import type { Position, Theme } from '../options';
import { css } from '../styles';

interface Props {
  theme: Theme;
  position: Position;
  nonce: string | undefined;
  children: ReactNode;
}

/** Adopted sheets pass a strict style-src; older browsers get a style element, with the site's nonce. */
function addStyles(root: ShadowRoot, nonce: string | undefined): void {
  if ('adoptedStyleSheets' in root && 'replaceSync' in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } else {
    const style = document.createElement('style');
    if (nonce) style.nonce = nonce;
    style.textContent = css;
    root.prepend(style);
  }
}

function open(host: HTMLElement, nonce: string | undefined): HTMLElement {
  const root = host.attachShadow({ mode: 'open' });
  addStyles(root, nonce);
  const inside = document.createElement('div');
  inside.className = 'frame';
  root.append(inside);
  return inside;
}

/** Renders its children in an open shadow root, so that neither side's styles reach the other. */
export function ShadowFrame({ theme, position, nonce, children }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [inside, setInside] = useState<HTMLElement>();
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    // Strict mode runs effects twice, and a shadow root can be attached only once.
    setInside(element.shadowRoot?.querySelector<HTMLElement>('.frame') ?? open(element, nonce));
  }, [nonce]);
  return (
    <div ref={host} data-support-form="" data-theme={theme} data-position={position}>
      {inside && createPortal(children, inside)}
    </div>
  );
}
