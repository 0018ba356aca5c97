-- One customer: how a merge came about, whether a sender was known, and when an identifier was last used.

-- Whether the sender was known when the message came: claimed senders are neither.
ALTER TABLE messages ADD COLUMN known text CHECK (known IN ('yes', 'no', 'claimed'));

-- What joined the two: an operator, a code said on the other side, or the link in our mail.
ALTER TABLE customer_merges ADD COLUMN cause text NOT NULL DEFAULT 'operator'
    CHECK (cause IN ('operator', 'code', 'link'));
CREATE INDEX customer_merges_winner ON customer_merges (winner);
CREATE INDEX customer_merges_loser ON customer_merges (loser);

-- When a verified identifier last proved whose it is: numbers are given to other people in time.
ALTER TABLE customer_identifiers ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

-- A merge moves all of a customer's rows, and reads no others'.
CREATE INDEX routes_customer ON routes (customer_id);
CREATE INDEX tickets_customer ON tickets (customer_id);
CREATE INDEX decisions_customer ON decisions (customer_id);
CREATE INDEX verifications_customer ON verifications (customer_id, created_at);
CREATE INDEX ratings_customer ON ratings (customer_id);
