import { type FormEvent, useId, useState } from 'react';
import { useDesk } from '../desk';
import { SCORES, type Score, type TicketRef } from '../ticket';
import { CheckIcon, StarIcon } from './icons';
import { useSending } from './useSending';

interface Props {
  ticket: TicketRef;
  rating: Score | undefined;
  /** The ticket was closed, and its customer is asked. */
  asked?: boolean | undefined;
}

const COMMENT_LIMIT = 2_000;

/** One to five stars for the answer, with words if the customer likes; it can be changed. */
export function Rating({ ticket, rating: known, asked }: Props) {
  const { strings } = useDesk();
  const [given, setGiven] = useState<Score>();
  const [changing, setChanging] = useState(false);
  const rating = given ?? known;
  if (rating !== undefined && !changing) {
    return (
      <div className="rating" data-testid="rating" data-score={rating}>
        <p role="status" className="rated">
          <CheckIcon />
          {strings.rating.thanks(strings.rating.scores[rating])}
        </p>
        <button type="button" className="quiet" onClick={() => setChanging(true)}>
          {strings.rating.change}
        </button>
      </div>
    );
  }
  const done = (score: Score) => {
    setGiven(score);
    setChanging(false);
  };
  return <RatingForm ticket={ticket} rating={rating} asked={asked} onRated={done} />;
}

function RatingForm({
  ticket,
  rating,
  asked,
  onRated,
}: Props & { onRated: (score: Score) => void }) {
  const { api, strings } = useDesk();
  const [score, setScore] = useState(rating);
  const [comment, setComment] = useState('');
  const { sending, send } = useSending();
  const id = useId();
  const busy = sending.name === 'sending' || sending.name === 'waiting';
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (score === undefined) return;
    const sent = send(() => api.rate(ticket, score, comment.trim()).then(() => score));
    sent.then((done) => done && onRated(done)).catch(() => {});
  };
  return (
    <form className="rating" data-testid="rating" aria-busy={busy} onSubmit={onSubmit}>
      <fieldset>
        <legend>{asked ? strings.rating.asked : strings.rating.question}</legend>
        <Stars score={score} onChoose={setScore} />
      </fieldset>
      {score !== undefined && (
        <>
          <label htmlFor={id}>
            {strings.rating.comment} <span className="optional">({strings.optional})</span>
          </label>
          <textarea
            id={id}
            name="comment"
            rows={2}
            maxLength={COMMENT_LIMIT}
            dir={comment === '' ? undefined : 'auto'}
            value={comment}
            onChange={({ target }) => setComment(target.value)}
          />
          <button type="submit" className="primary" disabled={busy}>
            {busy ? strings.sending : strings.rating.send}
          </button>
        </>
      )}
      <p className="aside" role="status">
        {sending.name === 'failed' && strings.rating.failed}
        {sending.name === 'waiting' && strings.retry.goesOn}
      </p>
    </form>
  );
}

interface StarsProps {
  score: Score | undefined;
  onChoose: (score: Score) => void;
}

/** Radio buttons, so that arrow keys and screen readers know them; the stars are their labels. */
function Stars({ score, onChoose }: StarsProps) {
  const { strings } = useDesk();
  const group = useId();
  return (
    <div className="stars">
      {SCORES.map((value) => (
        <label key={value} className="star" data-lit={score !== undefined && value <= score}>
          <input
            type="radio"
            name={group}
            value={value}
            checked={score === value}
            onChange={() => onChoose(value)}
          />
          <StarIcon />
          <span className="unseen">{strings.rating.scores[value]}</span>
        </label>
      ))}
      <span className="score" aria-hidden="true">
        {score && strings.rating.scores[score]}
      </span>
    </div>
  );
}
