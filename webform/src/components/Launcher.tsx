import { type KeyboardEvent, useCallback, useId, useMemo, useRef, useState } from 'react';
import { DeskContext, useDesk } from '../desk';
import { hasLinkedTicket } from '../ticket-link';
import { CloseIcon, SpeechIcon } from './icons';
import { SupportDesk } from './SupportDesk';

/** A button in the corner and the panel it opens. Not modal: the page behind stays usable. */
export function Launcher() {
  const desk = useDesk();
  const { strings } = desk;
  const [open, setOpen] = useState(hasLinkedTicket);
  const [answers, setAnswers] = useState(0);
  const [seen, setSeen] = useState<number>();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();

  const onAnswers = useCallback((count: number) => {
    setAnswers(count);
    // What stood there before this page did is not news.
    setSeen((before) => before ?? count);
  }, []);
  const inside = useMemo(() => ({ ...desk, onAnswers }), [desk, onAnswers]);
  const news = open ? 0 : Math.max(0, answers - (seen ?? answers));

  const show = () => {
    setOpen(true);
    // Focus can go into the panel only once it is shown.
    setTimeout(() => panel.current?.focus());
  };
  const hide = () => {
    setOpen(false);
    setSeen(answers);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open || event.key !== 'Escape' || event.nativeEvent.isComposing) return;
    event.stopPropagation();
    hide();
  };

  return (
    <div className="corner">
      <div
        ref={panel}
        id={id}
        className="panel"
        role="dialog"
        aria-label={strings.heading}
        tabIndex={-1}
        hidden={!open}
        onKeyDown={onKeyDown}
      >
        <DeskContext.Provider value={inside}>
          <SupportDesk />
        </DeskContext.Provider>
      </div>
      <button
        ref={button}
        type="button"
        className="primary launcher"
        data-testid="launcher"
        aria-expanded={open}
        aria-controls={id}
        onClick={open ? hide : show}
        onKeyDown={onKeyDown}
      >
        {open ? <CloseIcon /> : <SpeechIcon />}
        {open ? strings.launcher.close : strings.launcher.open}
        {news > 0 && <span className="news">{strings.launcher.news(news)}</span>}
      </button>
      <p className="unseen" role="status">
        {news > 0 ? strings.launcher.news(news) : ''}
      </p>
    </div>
  );
}
