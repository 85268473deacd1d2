/*
 * Everything that a file of policies or moongate.lua can be told is wrong, as one list: enum, the word that scripts
 * say, the code that people are told, a title, what it means, what to do.
 *
 *     report_say(report, FINDING_NO_FILE, "%s: %s", path, strerror(errno));            // in C
 *     report.at(path, "unknown_condition", ("unknown condition '%s'"):format(key))     -- in scripts/
 *     moongate help MG0203, moongate help unknown_condition                            # at a prompt
 *
 * MG01xx Lua and files, MG02xx what is written in them, MG03xx warnings, MG04xx the load itself, MG06xx who must
 * agree. Codes are stable: none is ever used again for something else.
 */
#ifndef MOONGATE_BASE_FINDING_H
#define MOONGATE_BASE_FINDING_H

#include <stdbool.h>

#include "base/slice.h"

/* clang-format off */
#define FINDINGS(X)                                                                                                    \
    /* Lua and files. */                                                                                               \
    X(NOT_LUA, "not_lua", "MG0101", "the file is not Lua",                                                             \
      "Lua could not read the file: a comma between fields is missing, a bracket or an `end` is not there, or a "      \
      "quote is not closed.",                                                                                          \
      "Look at the line and at the one before it; Lua notices where it can go no further, which may be after the "     \
      "mistake.")                                                                                                      \
    X(NO_POLICY, "no_policy", "MG0102", "the file does not return a policy",                                           \
      "Every policy file ends with one returned constructor: return access { … }. Without `return` the table is "      \
      "thrown away.",                                                                                                  \
      "Write `return` before the constructor at the end of the file.")                                                 \
    X(UNDEFINED_NAME, "undefined_name", "MG0103", "a name that is not there",                                          \
      "A name is read that neither Lua nor moongate gives to policies. Misspelt names are errors, not nil.",           \
      "Take the nearest name that is offered, or make it with `local`. There is no pcall, print, os or io.")           \
    X(GLOBAL_SET, "global_set", "MG0104", "a global is set",                                                           \
      "Policies have no globals: they would carry something from one request to the next.",                            \
      "Write `local` before the name.")                                                                                \
    X(STOPPED, "stopped", "MG0105", "stopped: too much work",                                                          \
      "A policy has a budget of bytecodes, CPU time, memory and waiting time, so that none can stop the gateway. An "  \
      "endless loop uses it up wherever it stands.",                                                                   \
      "Look at the loop in the line that is named. A longer piece of work can be given a larger budget: policy = { "   \
      "bytecodes = … } in moongate.lua.")                                                                              \
    X(NO_FILE, "no_file", "MG0106", "a file is missing or cannot be read",                                             \
      "A file that the chain or the configuration names is not there, or is not a plain text file of a size that "     \
      "makes sense.",                                                                                                  \
      "Correct the name, or make the file. Paths in moongate.lua are relative to that file.")                          \
    X(NOT_RETURNED, "not_returned", "MG0107", "a decision is built and not returned",                                  \
      "deny(…) alone does nothing: a hook's decision is what it returns.",                                             \
      "Write `return deny(…)`.")                                                                                       \
    /* What is written in policy files. */                                                                             \
    X(EXAMPLE_FAILS, "example_fails", "MG0201", "an example fails",                                                    \
      "An example that stands in the file was decided in another way than it says; files whose examples fail do not "  \
      "go live.",                                                                                                      \
      "Correct the rule, or the example. `moongate explain` shows step by step how a request is decided.")             \
    X(SPEC_FAILS, "spec_fails", "MG0202", "a spec fails",                                                              \
      "gate = { specs = true } in moongate.lua lets nothing go live whose specs fail.",                                \
      "`moongate test` shows the same failure with its trace.")                                                        \
    X(UNKNOWN_CONDITION, "unknown_condition", "MG0203", "an unknown condition",                                        \
      "`when` and `unless` compare fields of the request and of its caller; this is not one of them.",                 \
      "Take the nearest name. A label of your keys is known once auth.lua names it: labels = { \"cost_center\" }.")    \
    X(UNKNOWN_MODEL, "unknown_model", "MG0204", "an unknown model or target",                                          \
      "Rules may only name models and targets that policies/models.lua lists, so that a misspelt name cannot open "    \
      "or close a door.",                                                                                              \
      "Correct the name, or add it to policies/models.lua. Conditions name models, actions name targets "              \
      "(provider/model).")                                                                                             \
    X(BAD_PREDICATE, "bad_predicate", "MG0205", "a predicate that does not fit",                                       \
      "gt, lt and their like compare numbers; like compares texts; at_least compares data classes.",                   \
      "Use a constant, a list, or a predicate of the field's own kind.")                                               \
    X(BAD_ACTION, "bad_action", "MG0206", "a rule without one action",                                                 \
      "A rule is a name, conditions, and exactly one action that its kind of policy may take.",                        \
      "Give it one of the actions that are listed; two actions are two rules.")                                        \
    X(BAD_RULE, "bad_rule", "MG0207", "a rule of another shape",                                                       \
      "Rules are a list, and each begins with a name of its own: it stands in traces, records and explanations.",      \
      "{ \"name\", when = { … }, deny = { 403, \"code\" } }")                                                          \
    X(BAD_DECISION, "bad_decision", "MG0208", "a decision of another shape",                                           \
      "An action's value has another form than it needs, or its status is none that clients understand.",              \
      "deny = { 403, \"code_for_programs\" }, route = { \"provider/model\" }, pass = true, warn = { \"code\", "        \
      "\"text\" }")                                                                                                    \
    X(BAD_TIME, "bad_time", "MG0209", "a time of another shape",                                                       \
      "Hours, days, zones and durations are written as texts of one form.",                                            \
      "hours = \"07:00-20:00\", days = \"mon-fri\", zone = \"Europe/Berlin\", \"30s\", \"5m\", \"2h\"")                \
    X(BAD_CHAIN, "bad_chain", "MG0210", "a place in the chain that is empty or taken",                                 \
      "policies/init.lua lists policy files by name, each once, in the order in which requests meet them.",            \
      "chain { \"auth\", \"access\", \"routing\" }; models and apps are read in any case and do not stand there.")     \
    X(UNKNOWN_FIELD, "unknown_field", "MG0211", "an unknown field",                                                    \
      "A table has a field that nobody reads. It is refused, because a misspelt limit would be no limit.",             \
      "Take the nearest name, or remove the field.")                                                                   \
    X(MISSING_FIELD, "missing_field", "MG0212", "a field is missing",                                                  \
      "A table lacks a field without which it means nothing.",                                                         \
      "Add the field that is named.")                                                                                  \
    X(BAD_REASON, "bad_reason", "MG0213", "a reason that names no field",                                              \
      "Names in braces in a reason are filled in from the request; this one is no field of it.",                       \
      "Take the nearest name; write braces only around names of fields.")                                              \
    X(BAD_LIST, "bad_list", "MG0214", "a list with a hole",                                                            \
      "A list counts from 1 without gaps; a nil in its middle is mostly a misspelt name.",                             \
      "Look at the entry before the hole.")                                                                            \
    X(BAD_AMOUNT, "bad_amount", "MG0215", "a price or an amount of another shape",                                     \
      "Money is counted in whole numbers of a very small unit, so that no cent is lost; it is written with at most "   \
      "six decimals.",                                                                                                 \
      "price = usd_per_million { input = \"2.50\", output = \"10.00\" }: the unit stands in the file")                 \
    X(BAD_NAME, "bad_name", "MG0216", "an unknown app, label or identity field",                                       \
      "Names of apps, labels and models must be known, and mean one thing only.",                                      \
      "Add it where names of its kind are listed, or take the nearest.")                                               \
    X(BAD_SECRET, "bad_secret", "MG0217", "an environment variable or secret",                                         \
      "moongate.lua names a secret that is not there, is empty, or stands where it must not.",                         \
      "Set the variable for the process that runs moongate, or use file \"path\". A running gateway has the "          \
      "variables of its start: a new one needs a restart, a file only a reload.")                                      \
    X(BAD_VALUE, "bad_value", "MG0218", "a value of another kind",                                                     \
      "The field is known, its value is not of the kind that it takes.",                                               \
      "The message says what is expected.")                                                                            \
    X(BAD_REDACTION, "bad_redaction", "MG0219", "a redaction that cannot work",                                        \
      "A redaction names what it looks for, by detector or mask, and what happens to each; what is not looked for "    \
      "cannot be masked.",                                                                                             \
      "redaction { detect = { \"email\" }, request = { email = \"mask\" } }; [\"*\"] stands for all others.")          \
    X(BAD_LIMIT, "bad_limit", "MG0220", "a limit or budget of another shape",                                          \
      "A limit says for whom, how many, and in what time; a budget says whose, how much, and over which period.",      \
      "{ \"per-user\", by = \"user\", requests = 60, per = \"1m\" }; { \"sales\", department = \"sales\", limit = "    \
      "5000, per = \"month\" }")                                                                                       \
    X(SAID_TWICE, "said_twice", "MG0221", "something said twice",                                                      \
      "Two entries say what only one may say, and it would not be clear which counts.",                                \
      "Take one of them out.")                                                                                         \
    X(BAD_AUTH, "bad_auth", "MG0222", "a way in that cannot work",                                                     \
      "What auth says of keys, tokens and their issuers cannot be used to tell who is calling.",                       \
      "The message says what is expected; keys of issuers come over https:// or from a file.")                         \
    X(TOO_LATE, "too_late", "MG0223", "too late for a stream",                                                         \
      "on_response runs when the answer is complete; of a stream, the caller has read it by then.",                    \
      "Say buffer = true to hold streams back, use on_delta, or do not deny there.")                                   \
    X(SERVICE_NOT_LISTED, "service_not_listed", "MG0224", "a call that moongate.lua does not allow",                   \
      "A policy calls a place that egress does not name. The call raises, and with it every request that comes that "  \
      "way is refused.",                                                                                               \
      "List it with the highest class of data that may go there, egress = { [\"https://service.example\"] = { "        \
      "clearance = \"internal\" } }; or ask http.is_listed(url) first.")                                               \
    X(NO_POSTGRES, "no_postgres", "MG0225", "records that have nowhere to go",                                         \
      "A rule wants durability \"remote\", and moongate.lua has no postgres: what it applies to would always be "      \
      "refused.",                                                                                                      \
      "Say where it is, postgres = { url = env \"…\" }, or take \"local\".")                                           \
    /* Warnings. */                                                                                                    \
    X(NEVER_REACHED, "never_reached", "MG0301", "a rule that is never reached",                                        \
      "A rule before it always applies, or applies whenever this one would, and ends the policy or takes its place.",  \
      "Put the narrower rule first, or remove it.")                                                                    \
    X(OPAQUE_FUNCTION, "opaque_function", "MG0302", "a function that could be a table",                                \
      "A function is opaque: it cannot be compared by `moongate diff`, and `moongate explain` cannot say what would "  \
      "let a request through.",                                                                                        \
      "Write the condition as a table, as the hint shows.")                                                            \
    X(NEVER_ACTS, "never_acts", "MG0303", "a limit that never acts",                                                   \
      "Another limit, tighter and at least as broad, always acts first; or nothing can ever count against this one.",  \
      "Remove it, or correct its number or its scope.")                                                                \
    X(NO_EFFECT, "no_effect", "MG0304", "a file without effect",                                                       \
      "The folder holds a policy that policies/init.lua does not name.",                                               \
      "Add its name to the chain where it belongs, or move the file away.")                                            \
    X(NO_AUTH, "no_auth", "MG0305", "callers without a key",                                                           \
      "No auth policy stands in the chain, so nobody is asked who they are.",                                          \
      "chain { \"auth\", … }")                                                                                         \
    X(NO_ACCOUNT, "no_account", "MG0306", "a provider without an account",                                             \
      "policies/models.lua names targets of a provider that moongate.lua has no account for. They are passed over.",   \
      "providers = { name = { kind = …, url = …, key = env \"…\" } } in moongate.lua, or optional = true in the "      \
      "model's row.")                                                                                                  \
    X(NO_PRICE, "no_price", "MG0307", "a model without a price",                                                       \
      "What its requests cost cannot be told: they count as nothing against budgets.",                                 \
      "price = usd_per_million { input = \"…\", output = \"…\" }; price = free says that it costs nothing.")           \
    X(NO_EXAMPLES, "no_examples", "MG0308", "a policy without examples",                                               \
      "Nothing shows at load that the rules do what they are meant to.",                                               \
      "examples = { { as = { … }, model = \"…\", deny = \"code\" }, … }: each is decided at every load.")              \
    X(NO_SUCH_FACT, "no_such_fact", "MG0309", "a field of ctx that is not there",                                      \
      "ctx and its parts have a fixed set of fields, and labels that auth.lua names. Reading any other raises; this "  \
      "policy is then skipped, as its on_error says, and has no say.",                                                 \
      "Take the nearest name, or name the label in auth.lua: labels = { … }.")                                         \
    X(EVADABLE_LIMIT, "evadable_limit", "MG0310", "a limit that callers can step around",                              \
      "What counts by session begins anew with each new one, and who calls decides when that is.",                     \
      "Let a limit by user or key stand beside it.")                                                                   \
    X(NO_BUDGET, "no_budget", "MG0311", "spending that no budget holds",                                               \
      "Neither a row nor a default applies to somebody who may call.",                                                 \
      "default = { each = \"department\", limit = …, per = \"month\" } catches whoever has no row.")                   \
    X(UNUSED_KEYS, "unused_keys", "MG0313", "keys that are not used",                                                  \
      "A file of public keys holds some of a kind that signatures are not checked with.",                              \
      "Tokens that those keys have signed are refused; the others work.")                                              \
    X(UNLISTED_SERVICE, "unlisted_service", "MG0314", "a service that is not listed",                                  \
      "A policy that is skipped when it fails calls a place that egress does not name. The call raises, and the "      \
      "policy has no say.",                                                                                            \
      "egress = { [\"https://service.example\"] = { clearance = \"internal\" } } lists it, with the highest class of " \
      "data that may go there.")                                                                                       \
    X(UNLISTED_APP, "unlisted_app", "MG0315", "a key whose app is not listed",                                         \
      "An API key that works names an app that policies/apps.lua does not have, or none at all: whoever comes with "   \
      "it is refused.",                                                                                                \
      "Add the app to policies/apps.lua, set default_app in auth.lua, or revoke the key.")                             \
    X(ODD_PRICE, "odd_price", "MG0316", "a price that looks like another unit's",                                      \
      "Two rates of one price are a thousandfold apart, or the dear one is where the cheap one is usual.",             \
      "Rates are USD per million tokens: 0.0000025 a token is input = \"2.50\".")                                      \
    X(SERVICE_PASSED_OVER, "service_passed_over", "MG0317", "a service that may not see what requests carry",          \
      "The data class that callers have when nobody says anything is above the service's clearance: the call gives "   \
      "nil and \"clearance\", and a policy that goes on then decides nothing.",                                        \
      "Raise its clearance in moongate.lua, or say what happens: if err == \"clearance\" then return deny(…) end.")    \
    X(LONE_NAME, "lone_name", "MG0318", "a name that looks misspelt",                                                  \
      "A department, team or role stands once in these policies, and another that differs by a letter or two stands "  \
      "in several places. Keys and tokens may say anything, so it may be meant.",                                      \
      "Take the other name, or leave it: nothing else follows.")                                                       \
    X(REFUSED_BEFORE, "refused_before", "MG0319", "a rule that comes too late",                                        \
      "The access matrix is asked before the rules of its file. Whatever this rule applies to it refuses, or there is "\
      "nothing left that the rule could change.",                                                                      \
      "Put the exception into the matrix: departments = { … }, data = \"…\" of the model's row.")                      \
    X(UNSET_SECRET, "unset_secret", "MG0320", "a secret that is not set here",                                         \
      "moongate.lua takes a secret from an environment variable that this shell does not have. Offline nothing needs " \
      "it; the gateway does not start without it.",                                                                    \
      "Set it where the gateway runs, or use file \"path\".")                                                          \
    X(KEPT_UNMASKED, "kept_unmasked", "MG0321", "texts that are kept as they came",                                    \
      "Prompts or answers are kept, and no redaction policy stands in the chain: whatever people write is kept as it " \
      "is.",                                                                                                           \
      "Put a redaction policy into the chain, or do not keep texts.")                                                  \
    X(NO_SINK, "no_sink", "MG0322", "notices that go to nobody",                                                       \
      "A budget tells a receiver whose sink moongate.lua does not name under notify: the notice stands in the ledger " \
      "and is sent to nobody.",                                                                                        \
      "notify = { slack = { kind = \"slack\", url = env \"SLACK_URL\" } } in moongate.lua, or another receiver.")      \
    X(NEVER_BLOCKS, "never_blocks", "MG0323", "a budget that lost its end",                                            \
      "A row with thresholds of its own has none of the file's, and none of them denies: it is counted, and refuses "  \
      "nothing.",                                                                                                      \
      "Repeat in the row the threshold that denies.")                                                                  \
    X(ODD_ACCOUNT, "odd_account", "MG0324", "an account that its provider would hardly answer",                        \
      "A provider's url is not where such an API begins, its region is another than its url's, or nothing says who "   \
      "asks. A proxy in between may want it so.",                                                                      \
      "Compare it with the account's row in examples/operating.md.")                                                   \
    X(KEPT_SERVES, "kept_serves", "MG0330", "a bundle that was accepted before is served",                             \
      "The policies in the folder may not go live: not enough people have signed them, or they do not load. At a "     \
      "start the gateway serves the last bundle that people agreed to, from its data folder.",                         \
      "`moongate bundle status` says what is missing; `moongate reload` takes the folder's once it is there.")         \
    /* The load itself. */                                                                                             \
    X(NEEDS_RESTART, "needs_restart", "MG0401", "a change that needs a restart",                                       \
      "Listening addresses, workers and the data folder are fixed when the gateway starts.",                           \
      "Restart it, or take the change back; everything else in moongate.lua acts at a reload.")                        \
    X(CHECK_DIED, "check_died", "MG0402", "the checker ended",                                                         \
      "The process that tries configurations beside the gateway did not come to an end.",                              \
      "What runs goes on. Try again; if it stays, `moongate check` shows more.")                                       \
    X(OTHER_ERROR, "other_error", "MG0499", "an error",                                                                \
      "Something is wrong, for which no narrower code stands.",                                                        \
      "The message says what, and where.")                                                                             \
    X(UNSIGNED, "unsigned", "MG0610", "the policies are not signed as moongate.lua demands",                           \
      "gate = { signatures = 2, signers = … } lets no policies go live, neither at the start nor at a reload, that "   \
      "not so many people have signed, each with a key of their own, or that do not follow what was in force.",        \
      "`moongate bundle status` says who is missing. `moongate bundle manifest`, then `moongate bundle sign` by all.")
/* clang-format on */

enum finding {
    FINDING_NONE, /* nothing was found: no finding may carry it */
#define X(name, word, code, title, cause, cure) FINDING_##name,
    FINDINGS(X)
#undef X
    FINDING_COUNT,
};

struct finding_info {
    const char *word;  /* "unknown_condition" */
    const char *code;  /* "MG0203" */
    const char *title; /* a few words */
    const char *cause, *cure;
};

const struct finding_info *finding_info(enum finding finding);
/* By word or by code, in any case; FINDING_NONE when there is none. */
enum finding finding_of(struct slice name);
/* A warning keeps nothing from loading. */
bool finding_is_warning(enum finding finding);

#endif
