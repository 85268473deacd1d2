#include "admin/api/checklist.h"
#include "admin/api/approvals.h"
#include "admin/api/grants.h"
#include "admin/api/keys.h"
#include "admin/api/people.h"
#include "admin/api/prompts.h"
#include "admin/api/providers.h"
#include "admin/api/reviews.h"
#include "admin/api/route.h"
#include "admin/api/session.h"
#include "admin/api/sinks.h"
#include "admin/api/status.h"
#include "admin/api/topups.h"
#include "admin/api/whoami.h"

/* clang-format off */
const struct api_route api_routes[] = {
    {"GET", "/whoami", API_PERSON, NULL, whoami_show, "who asks, and with which roles", NULL, false},
    {"GET", "/openapi.json", API_PERSON, NULL, whoami_openapi, "this API, described as OpenAPI 3.1", NULL, false},
    {"GET", "/registry", API_VIEWER, NULL, status_registry, "the registry's revision, and is it well", NULL, false},

    {"POST", "/session", API_ANYBODY, "session.begin", session_begin, "sign in with an admin key: gives a cookie",
     session_begin_fields, false},
    {"GET", "/session", API_PERSON, NULL, session_show, "whose session this is", NULL, false},
    {"DELETE", "/session", API_PERSON, "session.end", session_end, "sign out", NULL, false},
    {"GET", "/sessions", API_PERSON, NULL, sessions_list, "sign-ins: an admin's of everybody, else one's own", NULL,
     false},
    {"DELETE", "/sessions/{id}", API_PERSON, "session.end", sessions_end, "end one of them", NULL, false},

    {"GET", "/people", API_ADMIN, NULL, people_list, "people and services, with their roles", NULL, false},
    {"POST", "/people", API_ADMIN, "people.create", people_create, "a new person or service", people_create_fields,
     false},
    {"GET", "/people/{id}", API_ADMIN, NULL, people_show, "one of them", NULL, false},
    {"POST", "/people/{id}/disable", API_ADMIN, "people.disable", people_disable,
     "no key, role or grant of this person counts any more", people_act_fields, false},
    {"POST", "/people/{id}/enable", API_ADMIN, "people.enable", people_enable, "and again, but for what was revoked",
     people_act_fields, false},
    {"POST", "/people/{id}/merge", API_ADMIN, "people.merge", people_merge, "two accounts are one person, for good",
     people_merge_fields, false},

    {"GET", "/roles", API_ADMIN, NULL, roles_list, "who has which role, ?person= of one", NULL, false},
    {"POST", "/roles", API_ADMIN, "roles.give", roles_give, "give a role to somebody else", roles_give_fields, false},
    {"DELETE", "/roles/{person}/{role}/{scope}", API_ADMIN, "roles.take", roles_take, "take a role", people_act_fields,
     false},

    {"GET", "/keys", API_ADMIN, NULL, keys_list, "keys of callers", NULL, false},
    {"POST", "/keys", API_ADMIN, "keys.create", keys_create, "a new key; its secret is shown this once",
     keys_create_fields, false},
    {"GET", "/keys/{id}", API_ADMIN, NULL, keys_show, "one of them", NULL, false},
    {"PATCH", "/keys/{id}", API_ADMIN, "keys.change", keys_change, "its owner, end, labels", keys_change_fields, true},
    {"POST", "/keys/{id}/rotate", API_ADMIN, "keys.rotate", keys_rotate, "a new key in its place", keys_rotate_fields,
     false},
    {"POST", "/keys/{id}/revoke", API_ADMIN, "keys.revoke", keys_revoke, "it counts no more", keys_revoke_fields,
     false},
    {"DELETE", "/keys/{id}", API_ADMIN, "keys.revoke", keys_revoke, "the same", keys_revoke_fields, false},

    {"GET", "/admin-keys", API_ADMIN, NULL, admin_keys_list, "keys of this API", NULL, false},
    {"POST", "/admin-keys", API_ADMIN, "keys.create", admin_keys_create,
     "a new key of this API; its secret is shown this once", admin_keys_create_fields, false},
    {"POST", "/scim-keys", API_ADMIN, "keys.create", scim_keys_create,
     "a key with which an identity provider writes people (SCIM); it is listed among those of this API",
     scim_keys_create_fields, false},
    {"POST", "/admin-keys/{id}/revoke", API_ADMIN, "keys.revoke", admin_keys_revoke, "it counts no more",
     admin_keys_revoke_fields, false},

    /* By whom a request is decided the row of the access matrix says: its roles may be none of this API's. */
    {"GET", "/approvals", API_PERSON, NULL, approvals_list, "requests for access, ?state= of one", NULL, false},
    {"POST", "/approvals", API_AUTHOR, "approvals.request", approvals_create, "ask for access to a model",
     approvals_create_fields, false},
    {"GET", "/approvals/{id}", API_PERSON, NULL, approvals_show, "one of them", NULL, false},
    {"POST", "/approvals/{id}/decision", API_PERSON, "approvals.decide", approvals_decide,
     "approve or deny it, as the row's role", approvals_decide_fields, false},
    {"POST", "/approvals/{id}/withdraw", API_PERSON, "approvals.withdraw", approvals_withdraw,
     "take back what one asked for", approvals_withdraw_fields, false},

    {"POST", "/break-glass", API_PERSON, "grants.break_glass", glass_take,
     "access at once, for an hour at most, as the rules' role", glass_take_fields, false},
    {"POST", "/break-glass/{id}/close", API_PERSON, "grants.close", glass_close, "a second person has looked at it",
     glass_close_fields, false},

    {"GET", "/grants", API_VIEWER, NULL, grants_list, "who may use what, because others agreed", NULL, false},
    {"GET", "/grants/{id}", API_VIEWER, NULL, grants_show, "one of them", NULL, false},
    {"PATCH", "/grants/{id}", API_APPROVER, "grants.shorten", grants_shorten, "it ends earlier",
     grants_shorten_fields, true},
    {"DELETE", "/grants/{id}", API_APPROVER, "grants.revoke", grants_revoke, "it ends now", grants_revoke_fields,
     false},
    {"GET", "/grants-imported", API_VIEWER, NULL, grants_imported, "models that keys are approved for by themselves",
     NULL, false},

    {"GET", "/prompts", API_VIEWER, NULL, prompts_list, "prompts, their versions and labels", NULL, false},
    {"GET", "/prompts/{name}", API_VIEWER, NULL, prompts_show, "one of them", NULL, false},
    {"GET", "/prompts/{name}/history", API_VIEWER, NULL, prompts_history, "what happened to it, newest first", NULL,
     false},
    {"GET", "/prompts/{name}/diff", API_VIEWER, NULL, prompts_diff, "what differs of ?from= and ?to=", NULL, false},
    {"POST", "/prompts/{name}/versions", API_AUTHOR, "prompts.push", prompts_push, "a draft, or more of one",
     prompts_push_fields, false},
    {"GET", "/prompts/{name}/versions/{version}", API_VIEWER, NULL, prompts_version, "one version, with its text", NULL,
     false},
    {"PUT", "/prompts/{name}/versions/{version}", API_AUTHOR, "prompts.push", prompts_write, "a draft's new text",
     prompts_write_fields, true},
    {"POST", "/prompts/{name}/versions/{version}/submit", API_AUTHOR, "prompts.submit", prompts_submit,
     "it is to be looked at", prompts_move_fields, false},
    {"POST", "/prompts/{name}/versions/{version}/withdraw", API_AUTHOR, "prompts.withdraw", prompts_withdraw,
     "it is a draft again", prompts_move_fields, false},
    {"POST", "/prompts/{name}/versions/{version}/review", API_PERSON, "prompts.review", prompts_review,
     "approve it, reject it, or ask for changes, as a role of the rules", prompts_review_fields, false},
    {"POST", "/prompts/{name}/versions/{version}/revoke", API_APPROVER, "prompts.revoke", prompts_revoke,
     "it answers nobody any more", prompts_revoke_fields, false},
    {"POST", "/prompts/{name}/rollback", API_APPROVER, "prompts.rollback", prompts_rollback,
     "production points at what it did before", prompts_rollback_fields, false},
    {"PUT", "/prompts/{name}/labels/{label}", API_AUTHOR, "prompts.label", prompts_label,
     "the whole set of a label; a protected one is for approvers", prompts_label_fields, true},
    {"DELETE", "/prompts/{name}/labels/{label}", API_AUTHOR, "prompts.label", prompts_unlabel, "likewise, to nothing",
     prompts_move_fields, true},
    {"POST", "/prompts/{name}/aliases", API_AUTHOR, "prompts.alias", prompts_alias, "another name for it",
     prompts_alias_fields, false},
    /* A POST that changes nothing: what it is asked for is in no URL. */
    {"POST", "/prompts/render", API_AUTHOR, NULL, prompts_render, "what a version comes to with such values: no call",
     prompts_render_fields, false},

    {"GET", "/topups", API_VIEWER, NULL, topups_list, "what was added to budgets", NULL, false},
    {"POST", "/topups", API_APPROVER, "topups.create", topups_create, "add to a budget for a while",
     topups_create_fields, false},
    {"POST", "/topups/{id}/end", API_APPROVER, "topups.end", topups_end, "end it before its time", topups_end_fields,
     false},

    {"GET", "/providers", API_VIEWER, NULL, providers_list, "switches of provider accounts", NULL, false},
    {"POST", "/providers/{name}/disable", API_ADMIN, "providers.disable", providers_disable,
     "its targets are passed over, within a second in all workers", providers_disable_fields, false},
    {"POST", "/providers/{name}/enable", API_ADMIN, "providers.enable", providers_enable, "it is asked again",
     providers_enable_fields, false},

    {"GET", "/checklist", API_VIEWER, NULL, checklist_list, "facts of governance, evidence and cures", NULL, false},
    {"GET", "/checklist.md", API_VIEWER, NULL, checklist_markdown, "the same as a document", NULL, false},
    {"GET", "/checklist.html", API_VIEWER, NULL, checklist_page, "the same as a page", NULL, false},
    {"GET", "/checklist/{fact}", API_VIEWER, NULL, checklist_show, "one of them", NULL, false},

    {"POST", "/sinks/test", API_ADMIN, "sinks.test", sinks_test, "a notice to each sink, to see whether it arrives",
     sinks_test_fields, false},

    {"GET", "/reviews", API_VIEWER, NULL, reviews_list, "access reviews, and what waits for the caller", NULL, false},
    {"GET", "/reviews/{id}", API_VIEWER, NULL, reviews_show, "one of them, with its items", NULL, false},
    {"POST", "/reviews/{id}/items", API_PERSON, "reviews.decide", reviews_decide,
     "answer items, of which the plan's role is asked", reviews_decide_fields, false},
    {"POST", "/reviews/{id}/delegate", API_PERSON, "reviews.delegate", reviews_delegate,
     "let somebody answer in one's place", reviews_delegate_fields, false},
    {"POST", "/reviews/{id}/complete", API_PERSON, "reviews.complete", reviews_complete,
     "close it; its evidence is signed", reviews_complete_fields, false},
    {"GET", "/reviews/{id}/evidence.json", API_VIEWER, NULL, reviews_evidence, "what a completed one left", NULL,
     false},

    {NULL, NULL, API_NOBODY, NULL, NULL, NULL, NULL, false},
};
/* clang-format on */
