-- The registry's tables, for SQLite as they stand; schema.c makes PostgreSQL's of them. One statement after the other;
-- a trigger's body is a list of SELECT RAISE(ABORT, 'code') [WHERE …], and its code is one of registry.h's refusals.
-- Instants are seconds since 1970 (UTC), NULL: never, not. `rev` of a row: the change that last wrote it.

-- schema, reads_from, epoch, moved_to
CREATE TABLE meta(k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT;

-- Updated first in every change: all changes queue here.
CREATE TABLE rev(id INTEGER PRIMARY KEY CHECK(id=1), rev INTEGER NOT NULL) STRICT;

-- One a change; the outbox to the audit chain. id, at: of the entry there (store/change.h). before, after: JSON, what differs.
CREATE TABLE event(rev INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, actor TEXT NOT NULL,
  uid INTEGER NOT NULL, host TEXT NOT NULL, via TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, reason TEXT,
  before TEXT, after TEXT, rules TEXT NOT NULL, chained INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX event_new ON event(rev) WHERE chained=0;
CREATE INDEX event_object ON event(object);

-- same_as: into whom he was merged, who himself was not. user_name, managed_by: what SCIM calls him, and the credential
-- by which his identity provider keeps him up to date; of whom it does not, NULL. disabled_by: that credential; NULL:
-- by hand. confirmed_at: he signed in, or was written by SCIM.
CREATE TABLE person(id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK(kind IN('human','service')), issuer TEXT NOT NULL,
  subject TEXT NOT NULL, name TEXT, email TEXT, department TEXT, made_by TEXT, confirmed_at INTEGER, disabled_at INTEGER,
  same_as TEXT REFERENCES person(id), rev INTEGER NOT NULL, clearance TEXT, user_name TEXT, managed_by TEXT,
  disabled_by TEXT, UNIQUE(issuer, subject), CHECK(same_as<>id)) STRICT;

-- given_by: a person, or who runs commands on the machine where there is nobody yet.
CREATE TABLE role_grant(person TEXT NOT NULL REFERENCES person(id), role TEXT NOT NULL, scope TEXT NOT NULL,
  given_by TEXT NOT NULL, at INTEGER NOT NULL, ends_at INTEGER, rev INTEGER NOT NULL, PRIMARY KEY(person, role, scope),
  CONSTRAINT self_approval CHECK(given_by<>person)) STRICT;

-- fields: JSON of what it stands for. replaces: the id of the one whose place it took. made: the change that made it, for
-- the order; of what an older file held 0 and below.
CREATE TABLE credential(id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK(kind IN('data','admin','scim')),
  digest BLOB NOT NULL UNIQUE, tail TEXT NOT NULL, person TEXT REFERENCES person(id), app TEXT, fields TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER,
  ends_requests INTEGER NOT NULL DEFAULT 0 CHECK(ends_requests IN(0,1)), replaces TEXT UNIQUE REFERENCES credential(id),
  made INTEGER NOT NULL, rev INTEGER NOT NULL) STRICT;
CREATE INDEX credential_person ON credential(person);

-- Sign-ins. digest: of the secret that the browser or the command has. credential: the key it began with; NULL: it began
-- at the identity provider. seen_at is written at most once a minute, and is no change.
CREATE TABLE session(id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, person TEXT NOT NULL REFERENCES person(id),
  credential TEXT REFERENCES credential(id), place TEXT NOT NULL, made_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL, ended_at INTEGER, rev INTEGER NOT NULL) STRICT;
CREATE INDEX session_person ON session(person);

-- Providers that somebody switched; who stands on 'on' was switched back.
CREATE TABLE provider_switch(provider TEXT PRIMARY KEY, state TEXT NOT NULL CHECK(state IN('on','off')), reason TEXT NOT NULL,
  person TEXT NOT NULL, at INTEGER NOT NULL, ends_at INTEGER, rev INTEGER NOT NULL) STRICT;

CREATE TABLE prompt(name TEXT PRIMARY KEY, owner TEXT NOT NULL, department TEXT NOT NULL, fields TEXT NOT NULL DEFAULT '{}',
  rev INTEGER NOT NULL) STRICT;
CREATE TABLE prompt_alias(alias TEXT PRIMARY KEY, name TEXT NOT NULL REFERENCES prompt(name), rev INTEGER NOT NULL) STRICT;
CREATE TABLE prompt_version(name TEXT NOT NULL REFERENCES prompt(name), major INTEGER NOT NULL, minor INTEGER NOT NULL,
  patch INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'draft'
  CHECK(status IN('draft','review','approved','archived','rejected','revoked')), body TEXT NOT NULL, sha256 TEXT NOT NULL,
  note TEXT, rev INTEGER NOT NULL, PRIMARY KEY(name, major, minor, patch)) STRICT;
CREATE TABLE prompt_author(name TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER NOT NULL,
  person TEXT NOT NULL REFERENCES person(id), PRIMARY KEY(name, major, minor, patch, person)) STRICT;
CREATE TABLE prompt_review(name TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER NOT NULL,
  sha256 TEXT NOT NULL, person TEXT NOT NULL REFERENCES person(id), role TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK(verdict IN('approve','changes','reject')), comment TEXT, rev INTEGER NOT NULL,
  PRIMARY KEY(name, major, minor, patch, sha256, person)) STRICT;
CREATE TABLE prompt_label(name TEXT NOT NULL, label TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL,
  patch INTEGER NOT NULL, share INTEGER NOT NULL CHECK(share BETWEEN 1 AND 1000), rev INTEGER NOT NULL,
  PRIMARY KEY(name, label, major, minor, patch)) STRICT;
CREATE TABLE prompt_run(id TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, target TEXT NOT NULL,
  passed INTEGER NOT NULL, failed INTEGER NOT NULL, report TEXT NOT NULL, person TEXT NOT NULL, at INTEGER NOT NULL,
  rev INTEGER NOT NULL) STRICT;

CREATE TABLE access_request(id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK(kind IN('model','topup','role')),
  subject_kind TEXT NOT NULL, subject TEXT NOT NULL, object TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK(length(trim(purpose))>=8), seconds INTEGER NOT NULL CHECK(seconds BETWEEN 60 AND 31536000),
  requested_by TEXT NOT NULL REFERENCES person(id), requested_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK(state IN('pending','approved','denied','withdrawn','expired')),
  rule TEXT NOT NULL, rev INTEGER NOT NULL) STRICT;
CREATE INDEX access_request_pending ON access_request(expires_at) WHERE state='pending';
CREATE TABLE decision(request TEXT NOT NULL REFERENCES access_request(id), person TEXT NOT NULL REFERENCES person(id),
  role TEXT NOT NULL, verdict TEXT NOT NULL CHECK(verdict IN('approve','deny')), comment TEXT, rev INTEGER NOT NULL,
  PRIMARY KEY(request, person)) STRICT;
CREATE TABLE access_grant(id TEXT PRIMARY KEY, request TEXT UNIQUE REFERENCES access_request(id), subject_kind TEXT NOT NULL,
  subject TEXT NOT NULL, object TEXT NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
  granted_by TEXT NOT NULL REFERENCES person(id), is_break_glass INTEGER NOT NULL DEFAULT 0 CHECK(is_break_glass IN(0,1)),
  reason TEXT NOT NULL, closed_by TEXT REFERENCES person(id), revoked_at INTEGER, revoked_by TEXT, rev INTEGER NOT NULL,
  CHECK(ends_at>starts_at), CHECK(is_break_glass=1 OR request IS NOT NULL),
  CHECK(is_break_glass=0 OR (ends_at-starts_at<=3600 AND length(trim(reason))>=8)),
  CONSTRAINT self_approval CHECK(closed_by IS NULL OR closed_by<>granted_by)) STRICT;
CREATE INDEX access_grant_live ON access_grant(ends_at) WHERE revoked_at IS NULL;

-- budget: policy/row; scope: as scripts/scopes.lua writes it, '': everybody.
CREATE TABLE topup(id TEXT PRIMARY KEY, budget TEXT NOT NULL, scope TEXT NOT NULL, nano INTEGER NOT NULL CHECK(nano>0),
  reason TEXT NOT NULL, made_by TEXT NOT NULL, created_at INTEGER NOT NULL, starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL, ended_at INTEGER, request TEXT UNIQUE REFERENCES access_request(id),
  made INTEGER NOT NULL, rev INTEGER NOT NULL) STRICT;
CREATE INDEX topup_live ON topup(ends_at) WHERE ended_at IS NULL;

CREATE TABLE review(id TEXT PRIMARY KEY, plan TEXT NOT NULL, scope TEXT NOT NULL, opened_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL, unanswered TEXT NOT NULL CHECK(unanswered IN('flag','revoke','recommendation')),
  as_of TEXT NOT NULL, state TEXT NOT NULL, evidence TEXT, rev INTEGER NOT NULL) STRICT;
CREATE TABLE review_item(review TEXT NOT NULL REFERENCES review(id), n INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN('row','grant','key','role')), object TEXT NOT NULL, subject_person TEXT,
  facts TEXT NOT NULL, recommend TEXT NOT NULL, why TEXT NOT NULL, reviewer TEXT NOT NULL,
  decision TEXT CHECK(decision IN('keep','revoke','reduce')), note TEXT, decided_by TEXT, effect TEXT, rev INTEGER NOT NULL,
  PRIMARY KEY(review, n),
  CONSTRAINT self_approval CHECK(decided_by IS NULL OR subject_person IS NULL OR decided_by<>subject_person)) STRICT;

-- Who may decide in a reviewer's place, and until when.
CREATE TABLE review_delegation(review TEXT NOT NULL REFERENCES review(id), person TEXT NOT NULL REFERENCES person(id),
  delegate TEXT NOT NULL REFERENCES person(id), at INTEGER NOT NULL, ends_at INTEGER NOT NULL, reason TEXT,
  rev INTEGER NOT NULL, PRIMARY KEY(review, person, delegate), CHECK(ends_at>at),
  CONSTRAINT self_approval CHECK(delegate<>person)) STRICT;

-- To be sent, made in the change's transaction; claimed_until: by whoever sends it now.
CREATE TABLE notice(id TEXT PRIMARY KEY, rev INTEGER NOT NULL, sink TEXT NOT NULL, body TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL, claimed_until INTEGER, done_at INTEGER) STRICT;
CREATE INDEX notice_waiting ON notice(next_at) WHERE done_at IS NULL;

-- Idempotency-Key, for 24 hours.
CREATE TABLE once(key TEXT NOT NULL, person TEXT NOT NULL, digest TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(key, person)) STRICT;

-- Who is one and the same: somebody else compares `who`.
CREATE VIEW identity AS SELECT id, coalesce(same_as, id) AS who FROM person;

CREATE TRIGGER rev_grows BEFORE UPDATE ON rev WHEN NEW.rev<OLD.rev BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER event_stays BEFORE UPDATE OF rev, id, at, actor, uid, host, via, action, object, reason, before, after, rules
  ON event BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER person_stays BEFORE UPDATE OF id, kind, issuer, subject ON person
  WHEN OLD.id<>NEW.id OR OLD.kind<>NEW.kind OR OLD.issuer<>NEW.issuer OR OLD.subject<>NEW.subject
  BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER person_kept BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER person_merges BEFORE UPDATE OF same_as ON person WHEN OLD.same_as IS NOT NEW.same_as BEGIN
  SELECT RAISE(ABORT, 'immutable') WHERE OLD.same_as IS NOT NULL
    AND NOT EXISTS(SELECT 1 FROM person p WHERE p.id=OLD.same_as AND p.same_as=NEW.same_as);
  SELECT RAISE(ABORT, 'illegal_move') WHERE EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.same_as AND p.same_as IS NOT NULL
    AND p.same_as<>OLD.id); END;
CREATE TRIGGER role_rules BEFORE INSERT ON role_grant BEGIN
  SELECT RAISE(ABORT, 'self_approval') WHERE EXISTS(SELECT 1 FROM identity x JOIN identity y ON y.who=x.who
    WHERE x.id=NEW.person AND y.id=NEW.given_by);
  SELECT RAISE(ABORT, 'not_human') WHERE EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.given_by
    AND (p.kind<>'human' OR p.disabled_at IS NOT NULL)); END;
CREATE TRIGGER role_stays BEFORE UPDATE ON role_grant WHEN OLD.person<>NEW.person OR OLD.role<>NEW.role
  OR OLD.scope<>NEW.scope OR OLD.given_by<>NEW.given_by OR (OLD.ends_at IS NOT NULL
  AND (NEW.ends_at IS NULL OR NEW.ends_at>OLD.ends_at)) BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER credential_stays BEFORE UPDATE ON credential WHEN OLD.id<>NEW.id OR OLD.kind<>NEW.kind
  OR OLD.digest<>NEW.digest OR OLD.created_at<>NEW.created_at
  OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at) BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER credential_kept BEFORE DELETE ON credential BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER version_starts BEFORE INSERT ON prompt_version WHEN NEW.status<>'draft'
  BEGIN SELECT RAISE(ABORT, 'not_a_draft'); END;
CREATE TRIGGER version_body BEFORE UPDATE OF body, sha256 ON prompt_version WHEN (OLD.status<>'draft' OR NEW.status<>'draft')
  AND (OLD.body<>NEW.body OR OLD.sha256<>NEW.sha256) BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER version_stays BEFORE UPDATE OF name, major, minor, patch ON prompt_version WHEN OLD.name<>NEW.name
  OR OLD.major<>NEW.major OR OLD.minor<>NEW.minor OR OLD.patch<>NEW.patch BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER version_gone BEFORE DELETE ON prompt_version WHEN OLD.status<>'draft'
  BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER version_moves BEFORE UPDATE OF status ON prompt_version WHEN OLD.status<>NEW.status
  AND OLD.status||'>'||NEW.status NOT IN('draft>review','review>draft','review>approved','review>rejected',
  'approved>archived','archived>approved','approved>revoked','archived>revoked')
  BEGIN SELECT RAISE(ABORT, 'illegal_move'); END;
CREATE TRIGGER version_approved BEFORE UPDATE OF status ON prompt_version WHEN OLD.status='review' AND NEW.status='approved'
  BEGIN SELECT RAISE(ABORT, 'not_reviewed') WHERE NOT EXISTS(SELECT 1 FROM prompt_review r JOIN identity x ON x.id=r.person
    WHERE r.name=NEW.name AND r.major=NEW.major AND r.minor=NEW.minor AND r.patch=NEW.patch AND r.sha256=NEW.sha256
    AND r.verdict='approve' AND NOT EXISTS(SELECT 1 FROM prompt_author a JOIN identity y ON y.id=a.person
    WHERE a.name=r.name AND a.major=r.major AND a.minor=r.minor AND a.patch=r.patch AND y.who=x.who)); END;
CREATE TRIGGER version_kept BEFORE UPDATE OF status ON prompt_version WHEN NEW.status<>'approved'
  BEGIN SELECT RAISE(ABORT, 'in_production') WHERE EXISTS(SELECT 1 FROM prompt_label l WHERE l.name=NEW.name
    AND l.major=NEW.major AND l.minor=NEW.minor AND l.patch=NEW.patch AND l.label='production'); END;

CREATE TRIGGER author_starts BEFORE INSERT ON prompt_author BEGIN SELECT RAISE(ABORT, 'immutable')
  WHERE NOT EXISTS(SELECT 1 FROM prompt_version v WHERE v.name=NEW.name AND v.major=NEW.major AND v.minor=NEW.minor
    AND v.patch=NEW.patch AND v.status='draft'); END;
CREATE TRIGGER author_stays BEFORE DELETE ON prompt_author BEGIN SELECT RAISE(ABORT, 'immutable')
  WHERE EXISTS(SELECT 1 FROM prompt_version v WHERE v.name=OLD.name AND v.major=OLD.major AND v.minor=OLD.minor
    AND v.patch=OLD.patch); END;
CREATE TRIGGER author_kept BEFORE UPDATE ON prompt_author BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER review_rules BEFORE INSERT ON prompt_review BEGIN
  SELECT RAISE(ABORT, 'self_approval') WHERE EXISTS(SELECT 1 FROM prompt_author a JOIN identity x ON x.id=a.person
    JOIN identity y ON y.who=x.who WHERE a.name=NEW.name AND a.major=NEW.major AND a.minor=NEW.minor
    AND a.patch=NEW.patch AND y.id=NEW.person);
  SELECT RAISE(ABORT, 'not_human') WHERE NOT EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.person AND p.kind='human'
    AND p.disabled_at IS NULL);
  SELECT RAISE(ABORT, 'stale_review') WHERE NOT EXISTS(SELECT 1 FROM prompt_version v WHERE v.name=NEW.name
    AND v.major=NEW.major AND v.minor=NEW.minor AND v.patch=NEW.patch AND v.status='review' AND v.sha256=NEW.sha256); END;
CREATE TRIGGER review_stays BEFORE UPDATE ON prompt_review BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER review_kept BEFORE DELETE ON prompt_review BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER label_rules BEFORE INSERT ON prompt_label WHEN NEW.label='production'
  BEGIN SELECT RAISE(ABORT, 'not_approved') WHERE NOT EXISTS(SELECT 1 FROM prompt_version v WHERE v.name=NEW.name
    AND v.major=NEW.major AND v.minor=NEW.minor AND v.patch=NEW.patch AND v.status='approved'); END;
CREATE TRIGGER label_sum BEFORE INSERT ON prompt_label BEGIN SELECT RAISE(ABORT, 'shares')
  WHERE NEW.share+coalesce((SELECT sum(l.share) FROM prompt_label l WHERE l.name=NEW.name AND l.label=NEW.label),0)>1000; END;
CREATE TRIGGER label_stays BEFORE UPDATE ON prompt_label BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER request_stays BEFORE UPDATE ON access_request WHEN OLD.id<>NEW.id OR OLD.kind<>NEW.kind
  OR OLD.subject_kind<>NEW.subject_kind OR OLD.subject<>NEW.subject OR OLD.object<>NEW.object OR OLD.purpose<>NEW.purpose
  OR OLD.seconds<>NEW.seconds OR OLD.requested_by<>NEW.requested_by BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER request_moves BEFORE UPDATE OF state ON access_request WHEN OLD.state<>NEW.state AND OLD.state<>'pending'
  BEGIN SELECT RAISE(ABORT, 'not_pending'); END;
CREATE TRIGGER request_kept BEFORE DELETE ON access_request BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER request_starts BEFORE INSERT ON access_request WHEN NEW.state<>'pending'
  BEGIN SELECT RAISE(ABORT, 'illegal_move'); END;

CREATE TRIGGER decision_rules BEFORE INSERT ON decision BEGIN
  SELECT RAISE(ABORT, 'self_approval') WHERE EXISTS(SELECT 1 FROM access_request r JOIN identity x
    ON x.id=r.requested_by OR (r.subject_kind='user' AND x.id=r.subject) JOIN identity y ON y.who=x.who
    WHERE r.id=NEW.request AND y.id=NEW.person);
  SELECT RAISE(ABORT, 'not_human') WHERE NOT EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.person AND p.kind='human'
    AND p.disabled_at IS NULL);
  SELECT RAISE(ABORT, 'not_pending') WHERE NOT EXISTS(SELECT 1 FROM access_request r WHERE r.id=NEW.request
    AND r.state='pending'); END;
CREATE TRIGGER decision_stays BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_kept BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER grant_rules BEFORE INSERT ON access_grant WHEN NEW.is_break_glass=0 BEGIN SELECT RAISE(ABORT, 'not_decided')
  WHERE NOT EXISTS(SELECT 1 FROM access_request r JOIN decision d ON d.request=r.id AND d.verdict='approve'
    JOIN identity y ON y.id=d.person WHERE r.id=NEW.request AND r.state='approved' AND r.subject_kind=NEW.subject_kind
    AND r.subject=NEW.subject AND r.object=NEW.object AND NEW.ends_at-NEW.starts_at<=r.seconds
    AND NOT EXISTS(SELECT 1 FROM identity x WHERE x.who=y.who
      AND (x.id=r.requested_by OR (r.subject_kind='user' AND x.id=r.subject)))); END;
CREATE TRIGGER grant_stays BEFORE UPDATE ON access_grant WHEN OLD.subject<>NEW.subject OR OLD.subject_kind<>NEW.subject_kind
  OR OLD.object<>NEW.object OR OLD.starts_at<>NEW.starts_at OR OLD.request IS NOT NEW.request
  OR OLD.granted_by<>NEW.granted_by OR OLD.is_break_glass<>NEW.is_break_glass OR NEW.ends_at>OLD.ends_at
  OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
  OR (OLD.closed_by IS NOT NULL AND NEW.closed_by IS NOT OLD.closed_by) BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER grant_closed BEFORE UPDATE OF closed_by ON access_grant WHEN NEW.closed_by IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'self_approval') WHERE EXISTS(SELECT 1 FROM identity x JOIN identity y ON y.who=x.who
    WHERE x.id=NEW.granted_by AND y.id=NEW.closed_by);
  SELECT RAISE(ABORT, 'not_human') WHERE NOT EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.closed_by AND p.kind='human'
    AND p.disabled_at IS NULL); END;
CREATE TRIGGER grant_kept BEFORE DELETE ON access_grant BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE TRIGGER item_rules BEFORE UPDATE OF decision, decided_by ON review_item WHEN NEW.decided_by IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'self_approval') WHERE EXISTS(SELECT 1 FROM identity x JOIN identity y ON y.who=x.who
    WHERE x.id=NEW.subject_person AND y.id=NEW.decided_by);
  SELECT RAISE(ABORT, 'not_human') WHERE EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.decided_by
    AND (p.kind<>'human' OR p.disabled_at IS NOT NULL)); END;

-- What was found when a campaign was opened stays as it was; what was answered, too.
CREATE TRIGGER item_starts BEFORE INSERT ON review_item WHEN NEW.decision IS NOT NULL OR NEW.decided_by IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'illegal_move'); END;
CREATE TRIGGER item_stays BEFORE UPDATE ON review_item WHEN OLD.review<>NEW.review OR OLD.n<>NEW.n OR OLD.kind<>NEW.kind
  OR OLD.object<>NEW.object OR OLD.subject_person IS NOT NEW.subject_person OR OLD.facts<>NEW.facts
  OR OLD.recommend<>NEW.recommend OR OLD.why<>NEW.why OR OLD.reviewer<>NEW.reviewer
  BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER item_once BEFORE UPDATE OF decision, decided_by, note ON review_item BEGIN
  SELECT RAISE(ABORT, 'not_pending') WHERE OLD.decision IS NOT NULL AND (NEW.decision IS NOT OLD.decision
    OR NEW.decided_by IS NOT OLD.decided_by OR NEW.note IS NOT OLD.note);
  SELECT RAISE(ABORT, 'not_pending') WHERE EXISTS(SELECT 1 FROM review v WHERE v.id=NEW.review AND v.state='complete'); END;
CREATE TRIGGER item_kept BEFORE DELETE ON review_item BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER campaign_moves BEFORE UPDATE ON review WHEN OLD.id<>NEW.id OR OLD.plan<>NEW.plan OR OLD.scope<>NEW.scope
  OR OLD.opened_at<>NEW.opened_at OR OLD.due_at<>NEW.due_at OR OLD.unanswered<>NEW.unanswered OR OLD.as_of<>NEW.as_of
  OR OLD.state='complete' BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER campaign_kept BEFORE DELETE ON review BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER delegation_rules BEFORE INSERT ON review_delegation BEGIN
  SELECT RAISE(ABORT, 'self_approval') WHERE EXISTS(SELECT 1 FROM identity x JOIN identity y ON y.who=x.who
    WHERE x.id=NEW.person AND y.id=NEW.delegate);
  SELECT RAISE(ABORT, 'not_human') WHERE NOT EXISTS(SELECT 1 FROM person p WHERE p.id=NEW.delegate AND p.kind='human'
    AND p.disabled_at IS NULL); END;

INSERT INTO meta(k, v) VALUES('schema', '5'), ('reads_from', '5'), ('epoch', '1');
INSERT INTO rev(id, rev) VALUES(1, 0);
