-- Measuring the search: a space of its own for documents that are not ours, and the two plain ways to compare with.

-- name: open_space
-- Temporary tables stand before ours in this session: nobody else sees them, and they go with the transaction.
CREATE TEMPORARY TABLE knowledge_base (LIKE public.knowledge_base INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY)
ON COMMIT DROP;
CREATE TEMPORARY TABLE knowledge_terms (LIKE public.knowledge_terms INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMPORARY TABLE knowledge_vectors (LIKE public.knowledge_vectors INCLUDING DEFAULTS, PRIMARY KEY (passage_id, model))
ON COMMIT DROP;
CREATE TEMPORARY TABLE knowledge_index (LIKE public.knowledge_index INCLUDING DEFAULTS) ON COMMIT DROP;
INSERT INTO knowledge_index DEFAULT VALUES;
-- Passages are changed once they are stored, and an index made after that is of no use to this transaction.
CREATE UNIQUE INDEX space_base ON knowledge_base (id);
CREATE INDEX space_tsv ON knowledge_base USING gin (tsv);
CREATE UNIQUE INDEX space_terms ON knowledge_terms (lexeme, passage_id)

-- name: close_loading
CREATE INDEX space_vectors_256 ON knowledge_vectors
    USING hnsw ((embedding::vector(256)) vector_cosine_ops) WHERE vector_dims(embedding) = 256;
CREATE INDEX space_vectors_768 ON knowledge_vectors
    USING hnsw ((embedding::vector(768)) vector_cosine_ops) WHERE vector_dims(embedding) = 768;
CREATE INDEX space_vectors_1024 ON knowledge_vectors
    USING hnsw ((embedding::vector(1024)) vector_cosine_ops) WHERE vector_dims(embedding) = 1024;
CREATE INDEX space_vectors_1536 ON knowledge_vectors
    USING hnsw ((embedding::vector(1536)) vector_cosine_ops) WHERE vector_dims(embedding) = 1536;
CREATE INDEX space_vectors_3072 ON knowledge_vectors
    USING hnsw ((embedding::halfvec(3072)) halfvec_cosine_ops) WHERE vector_dims(embedding) = 3072;
ANALYZE knowledge_base;
ANALYZE knowledge_terms;
ANALYZE knowledge_vectors

-- name: documents
-- The documents of passages.
SELECT id, document_id FROM knowledge_base WHERE active

-- name: fulltext
-- Plain full text: the passages that have any of a question's words, by ts_rank. $1 questions, $2 how many passages each.
SELECT asked.question, found.id AS passage_id
FROM unnest($1::text[]) WITH ORDINALITY AS asked (text, question)
CROSS JOIN LATERAL (
    SELECT string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery AS query
    FROM unnest(to_tsvector('english', asked.text))
) AS any_word
CROSS JOIN LATERAL (
    SELECT k.id, ts_rank(k.tsv, any_word.query) AS score
    FROM knowledge_base k
    WHERE k.active AND k.tsv @@ any_word.query
    ORDER BY score DESC, k.id
    LIMIT $2
) AS found
ORDER BY asked.question, found.score DESC, found.id

-- name: bm25
-- Plain BM25 (k1 1.2, b 0.75) over the same English stems, without stop words. $1 questions, $2 how many passages each.
WITH lengths AS (
    SELECT k.id, sum(cardinality(word.positions)) AS length
    FROM knowledge_base k CROSS JOIN LATERAL unnest(k.tsv) AS word
    WHERE k.active GROUP BY k.id
), corpus AS (
    SELECT count(*)::float8 AS passages, avg(length)::float8 AS mean FROM lengths
), asked AS (
    SELECT given.question, word.lexeme
    FROM unnest($1::text[]) WITH ORDINALITY AS given (text, question)
    CROSS JOIN LATERAL unnest(to_tsvector('english', given.text)) AS word
), postings AS (
    SELECT word.lexeme, k.id, cardinality(word.positions)::float8 AS times
    FROM knowledge_base k CROSS JOIN LATERAL unnest(k.tsv) AS word
    WHERE k.active AND word.lexeme IN (SELECT lexeme FROM asked)
), worth AS (
    SELECT p.lexeme, p.id,
           ln(1 + (c.passages - count(*) OVER held + 0.5) / (count(*) OVER held + 0.5))
               * p.times * 2.2 / (p.times + 1.2 * (0.25 + 0.75 * l.length / c.mean)) AS worth
    FROM postings p JOIN lengths l USING (id) CROSS JOIN corpus c
    WINDOW held AS (PARTITION BY p.lexeme)
), scored AS (
    SELECT asked.question, worth.id, sum(worth.worth) AS score
    FROM asked JOIN worth USING (lexeme)
    GROUP BY asked.question, worth.id
)
SELECT question, id AS passage_id
FROM (SELECT *, row_number() OVER (PARTITION BY question ORDER BY score DESC, id) AS place FROM scored) AS placed
WHERE place <= $2
ORDER BY question, place
