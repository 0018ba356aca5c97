-- What search ranks by: the words of every passage that is searched, and vectors beside them, one set a model.

-- Copied from the document, so that a filter reads one table; the dictionary stems the passage's words.
ALTER TABLE knowledge_base ADD COLUMN product text NOT NULL DEFAULT '';
ALTER TABLE knowledge_base ADD COLUMN language text NOT NULL DEFAULT 'en';
ALTER TABLE knowledge_base ADD COLUMN audience text NOT NULL DEFAULT '';
ALTER TABLE knowledge_base ADD COLUMN dictionary text NOT NULL DEFAULT 'english_stem';
-- Words of the headings, counted twice, and of the text; 0: not indexed yet.
ALTER TABLE knowledge_base ADD COLUMN length int NOT NULL DEFAULT 0;

-- How often a passage has a stem in its headings and in its text; `a b` is two telling stems next to each other.
-- Rows are written and removed together with their passage being searched or not.
CREATE TABLE knowledge_terms (
    lexeme     text NOT NULL,
    passage_id bigint NOT NULL,
    heading    int NOT NULL,
    body       int NOT NULL,
    PRIMARY KEY (lexeme, passage_id)
);
CREATE INDEX knowledge_terms_passage ON knowledge_terms (passage_id);

-- A passage's vectors by one model: of all of it, of its headings, and of each sentence.
CREATE TABLE knowledge_vectors (
    passage_id bigint NOT NULL REFERENCES knowledge_base (id),
    model      text NOT NULL,
    embedding  vector(256) NOT NULL,
    heading    vector(256),
    sentences  vector(256)[],
    PRIMARY KEY (passage_id, model)
);
CREATE INDEX knowledge_vectors_embedding ON knowledge_vectors USING hnsw (embedding vector_cosine_ops);

-- The model whose vectors are searched, and a number that changes with the passages.
CREATE TABLE knowledge_index (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    model    text NOT NULL DEFAULT '',
    revision bigint NOT NULL DEFAULT 0
);
INSERT INTO knowledge_index (model)
SELECT coalesce((SELECT embedding_model FROM knowledge_base WHERE active AND embedding IS NOT NULL
                 GROUP BY embedding_model ORDER BY count(*) DESC LIMIT 1), '');

UPDATE knowledge_base k SET product = d.product, language = d.language, audience = d.audience
FROM knowledge_documents d
WHERE d.id = k.document_id AND d.version = k.version;

-- Searched at once with what there is; the sweep adds the words and the other vectors.
INSERT INTO knowledge_vectors (passage_id, model, embedding)
SELECT id, embedding_model, embedding FROM knowledge_base WHERE active AND embedding IS NOT NULL;
