-- How the customer sounds in a message, -1 to 1; null for ours, for what nobody need read, and for what came before.
ALTER TABLE messages ADD COLUMN mood double precision;

-- Asked once, for a ticket that is closed: how content its customer is. The answer is a row of ratings.
CREATE TABLE surveys (
    ticket_id   text PRIMARY KEY REFERENCES tickets (id),
    -- The question. On WhatsApp a bare number after it is the answer; in a mail a link, of which secret is a keyed hash.
    delivery_id uuid NOT NULL REFERENCES deliveries (id),
    channel     text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'web')),
    language    text NOT NULL,
    secret      bytea,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX surveys_delivery ON surveys (delivery_id);
CREATE INDEX surveys_asked ON surveys (asked_at);
CREATE UNIQUE INDEX surveys_secret ON surveys (secret) WHERE secret IS NOT NULL;
