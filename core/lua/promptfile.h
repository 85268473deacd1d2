/*
 * A prompt as a file, prompts/support/reply.md: a head, which is the inside of a Lua table, and messages.
 *
 *     ---
 *     name = "support/reply", version = "2.2.0", department = "support", owner = "support-team",
 *     model = "fast", variables = { tone = choice { "plain", "warm" }, question = { max = 8000 } },
 *     ---
 *     @system
 *     Answer in a {{tone}} tone.
 *     @user
 *     {{question}}
 *
 *     struct promptfile f;
 *     promptfile_init(&f);
 *     if (!promptfile_read(&f, text, open_beside, arg, &why)) ...     // why: line, column, what
 *     ... buf_slice(&f.about), buf_slice(&f.content) ...              // canonical JSON of both
 *     promptfile_clear(&f);
 *
 * The head is evaluated as moongate.lua is, in the same sandbox and bounds (lua/configfile.h), with the words of
 * scripts/prompt_words.lua beside: types of variables, json "file", bounds.
 * Lines that are @system, @developer, @user or @assistant alone begin
 * messages; @messages is where the caller's stand. Of backslashes before "@", or alone on their line, one goes: so
 * "\@user" is text, and "\" a line that is empty. Blank lines at a message's end are dropped.
 */
#ifndef MOONGATE_LUA_PROMPTFILE_H
#define MOONGATE_LUA_PROMPTFILE_H

#include "base/buf.h"

#define PROMPTFILE_BYTES_MAX (512u * 1024u)

struct promptfile {
    struct buf about;   /* {"name","version","owner","department","description","tags","links"} */
    struct buf content; /* of a version: what wire/prompt compiles */
    uint32_t version_bytes; /* of "version" in about; 0: the file says none */
};

struct promptfile_error {
    uint32_t line, column; /* from 1; 0: of the whole */
    char text[320];
};

/* Appends the text of a file that the head names. False: it cannot be read; *text says why. */
typedef bool (*promptfile_open_fn)(void *arg, struct slice name, struct buf *out, char *text, size_t size);

void promptfile_init(struct promptfile *f);
void promptfile_clear(struct promptfile *f);
/* open NULL: no file may be named. False: *why, and f is as it was made. */
bool promptfile_read(struct promptfile *f, struct slice text, promptfile_open_fn open, void *arg,
                     struct promptfile_error *why);
/* Appends what promptfile_read() reads as the same: both are JSON objects. False: they are not. */
bool promptfile_write(struct slice about, struct slice content, struct buf *out);

#endif
