/*
 * What handlers of prompts share: the prompt and the version that a path names, and what came of a change.
 *
 *     json_t *prompt = prompting_find(call);                       // NULL: it is answered
 *     if (!prompting_at(call, prompt, &at) …                       // the path's {version}, seen as If-Match says
 *     if (prompting_is_done(call, registry_prompt_…(…), &why)) prompting_show(call, 200);
 *
 * A prompt's ETag is the last change of anything of it, a version's its own last change. A slash of a name is %2F.
 */
#ifndef MOONGATE_ADMIN_API_PROMPTING_H
#define MOONGATE_ADMIN_API_PROMPTING_H

#include "admin/api/acting.h"
#include "store/registry/prompts.h"

/* The path's {name}, as registry_prompts() has it, "rev" being the last change of anything of it. */
struct json_t *prompting_find(struct api_call *call);
/* A version of it, borrowed; NULL: it is answered. */
struct json_t *prompting_version(struct api_call *call, const struct json_t *prompt, struct slice text);
/* False: If-Match names another revision than that; 412 with the prompt as it is. */
bool prompting_is_seen(struct api_call *call, const struct json_t *object);
/* At least that role, for the prompt's department. False: it is answered. */
bool prompting_may(struct api_call *call, const struct json_t *prompt, enum api_role role);
/* The body's or the path's version; false: it is answered. */
bool prompting_read_version(struct api_call *call, struct slice text, const char *field, struct semver *v);
/* The path's {name} and {version}, by the caller, who is made a person. False: it is answered. */
bool prompting_at(struct api_call *call, struct prompt_at *at);
/* As acting_is_done(), with the role that the registry misses as 403. */
bool prompting_is_done(struct api_call *call, enum registry_found found, const struct fault *why);
/* The prompt as it is now. */
void prompting_show(struct api_call *call, int status);

#endif
