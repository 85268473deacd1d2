/*
 * A form as the JSON object that it stands for, and the form again with the object's edits: who counts, scans, masks
 * and edits a request knows JSON alone, and files go by untouched.
 *
 *     struct form *form = form_read(type, body, kind, arena, &json, &attached, &why);   // NULL: it is none
 *     ... json: {"model":"m","stream":true,"file":{"filename":"a.mp3","bytes":5210}} …
 *     if (!form_write(form, body, edited_json, arena, &pieces, &count, &why)) ...       // of the body, and new texts
 *
 * A part is a member of its name, in order: of a text its value, of a file what it is called and how large it is, and
 * of one that a provider is to keep (CHAT_FILES) its "text" too, where it is one. Texts
 * of the members that are no texts in JSON ("stream", "n", "temperature") are written as what they are there. A part
 * whose member is as it was leaves as it came, byte for byte; a member that is gone takes its part with it, a new one
 * becomes a part behind the others.
 * The form holds offsets: the body must be the same in form_write(). Nothing is copied but texts.
 */
#ifndef MOONGATE_WIRE_FORM_H
#define MOONGATE_WIRE_FORM_H

#include "base/buf.h"
#include "wire/chat.h"

struct form;

/* In the arena; *attached says what its files are for a request of that kind. NULL: FAULT_MEDIA_TYPE, or
 * FAULT_BAD_BODY. */
struct form *form_read(struct slice content_type, struct slice body, enum chat_kind kind, struct arena *arena,
                       struct buf *json, struct chat_attached *attached, struct fault *why);
/* What the file of that name holds, in the body; without a pointer: there is none, or it is no UTF-8. */
struct slice form_file_text(const struct form *form, struct slice body, struct slice name);
/* The body's pieces, none empty; the array and what is new are in the arena. False: FAULT_BAD_BODY, an edit holds the
 * boundary. */
bool form_write(const struct form *form, struct slice body, struct slice edited, struct arena *arena,
                struct slice **pieces, size_t *count, struct fault *why);
/* "multipart/form-data; boundary=…", as it was asked. In the arena. */
struct slice form_content_type(const struct form *form, struct arena *arena);

#endif
