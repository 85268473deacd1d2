/*
 * Handlers of prompts: what there is, new texts, and what becomes of them.
 *
 * Authors write, submit and take back where their role covers the prompt's department; verdicts, production, rollback
 * and revoking are approvers', which the registry looks at, beside four eyes. Texts are shown where a role covers the
 * department.
 */
#ifndef MOONGATE_ADMIN_API_PROMPTS_H
#define MOONGATE_ADMIN_API_PROMPTS_H

#include "admin/api/route.h"

extern const struct api_field prompts_push_fields[], prompts_write_fields[], prompts_render_fields[];
extern const struct api_field prompts_move_fields[], prompts_review_fields[], prompts_revoke_fields[];
extern const struct api_field prompts_rollback_fields[], prompts_label_fields[], prompts_alias_fields[];

void prompts_list(struct api_call *call);
void prompts_show(struct api_call *call);
void prompts_history(struct api_call *call);
void prompts_version(struct api_call *call);
void prompts_diff(struct api_call *call);
void prompts_push(struct api_call *call);
void prompts_write(struct api_call *call);
void prompts_render(struct api_call *call);

void prompts_submit(struct api_call *call);
void prompts_withdraw(struct api_call *call);
void prompts_review(struct api_call *call);
void prompts_revoke(struct api_call *call);
void prompts_rollback(struct api_call *call);
void prompts_label(struct api_call *call);
void prompts_unlabel(struct api_call *call);
void prompts_alias(struct api_call *call);

#endif
