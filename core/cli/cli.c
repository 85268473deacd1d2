#include "cli/cli.h"
#include "cli/help_keys.h"
#include "cli/help_people.h"
#include "cli/help_approvals.h"
#include "cli/help_reviews.h"
#include "cli/help_checklist.h"
#include "cli/prompts_commands.h"
#include "cli/registry_texts.h"

const struct command cli_commands[] = {
    {"run", "start the gateway",
     "moongate run                        with ./moongate.lua\n"
     "moongate run -c /etc/moongate/moongate.lua\n"
     "\n"
     "Starts the supervisor, the workers and the admin listener, and stays in the foreground.\n"
     "\n"
     "  -c, --config FILE   the configuration (default: $MOONGATE_CONFIG, else ./moongate.lua)\n"
     "  --color WHEN        auto, always or never\n"
     "\n"
     "Signals: HUP reloads, TERM drains and ends, INT (Ctrl-C) ends at once.\n"
     "Environment: MOONGATE_LISTEN, MOONGATE_ADMIN_LISTEN, MOONGATE_DATA_DIR, MOONGATE_LOG, MOONGATE_LOG_FORMAT.\n"
     "Exit code: 0 ended as asked, 1 could not start.\n",
     command_run},
    {"init", "write a starter project: configuration, policies, specs, files for editors",
     "moongate init my-gateway && moongate test my-gateway\n"
     "moongate init --types my-gateway    after an update: what editors and luacheck know\n"
     "\n"
     "Writes moongate.lua, a small policy bundle with examples and specs, the guide and the cookbook; for editors\n"
     ".luarc.json, and types/ and .luacheckrc, which say what this version takes. Nothing is ever overwritten, but for\n"
     "--types, which renews types/ and .luacheckrc alone.\n"
     "\n"
     "  --types             only the files for editors and luacheck, also over older ones\n"
     "  --json              the files that were written\n"
     "\n"
     "Exit code: 0 written, 2 something is there already, or cannot be written.\n",
     command_init},
    {"check", "check configuration and policies, without a gateway",
     "moongate check                      ./moongate.lua and the policies it names\n"
     "moongate check PROJECT policies policies/access.lua\n"
     "moongate check --format github      annotations on a pull request\n"
     "\n"
     "Loads everything as `run` would, runs each policy file's examples, and says all that is wrong at once. Takes\n"
     "configurations, folders that hold a moongate.lua, policy folders, and single policy files. A secret whose variable\n"
     "is not set here is a warning: the gateway needs it, a check does not.\n"
     "\n"
     "  -c, --config FILE   the configuration\n"
     "  --format FORMAT     text, json or github\n"
     "  --json              one document: ok, report, the effective configuration without secrets\n"
     "\n"
     "Each diagnostic has a code; `moongate help MG0103` explains it, `moongate help codes` lists them.\n"
     "\n"
     "Exit code: 0 good (warnings or not), 1 errors, 2 what was named cannot be read.\n",
     command_check},
    {"checklist", "is it governed as it should be? facts, evidence and cures", help_checklist, command_checklist},
    {"test", "run the specs of the policies, without a gateway",
     "moongate test                       policies/specs, as moongate.lua names the folder\n"
     "moongate test policies/specs/access_spec.lua --filter sales\n"
     "moongate test PROJECT               a folder with a moongate.lua\n"
     "\n"
     "Runs busted with the real engine inside: same sandbox, same limits. Needs the Debian package lua-busted.\n"
     "\n"
     "  --filter PATTERN    only tests whose name matches; -t TAGS; --shuffle; --list; all of busted's options\n"
     "  -o FORMAT           TAP, junit, json, gtest, plainTerminal, or a handler of your own (x.lua)\n"
     "  --coverage          lines that never ran and rules that never matched, file by file\n"
     "  --json              one document: what passed, what failed, where and why\n"
     "  -c, --config FILE   the configuration (for its policy folder)\n"
     "\n"
     "A policy that remembers something between two requests fails, unless it says keeps_state = true.\n"
     "\n"
     "Exit code: 0 all passed, 1 some failed, 2 nothing could be run.\n",
     command_test},
    {"diff", "what changed between two policy folders, in rules",
     "moongate diff policies.old policies\n"
     "moongate diff --git HEAD~3              the configured folder, then and now\n"
     "moongate diff --git main policies\n"
     "\n"
     "Compares what the policies say, not their text: rows, rules, conditions, prices, targets, order.\n"
     "Each change says whether more is allowed than before (loosens) or less (tightens). Functions are shown as changed\n"
     "when their source is; whether they allow more cannot be told.\n"
     "\n"
     "  --git REV           compare a folder with itself at a revision of its git repository, and the services that\n"
     "                      moongate.lua lists (egress) with those of then\n"
     "  -c, --config FILE   the configuration that names the folder\n"
     "  --json              one document: old, new, changes\n"
     "\n"
     "Exit code: 0 the same rules, 1 they differ, 2 a folder cannot be read or does not load.\n",
     command_diff},
    {"explain", "why a request is allowed or denied, and what would change it",
     "moongate explain --as sales/ana --model small       as department sales, user ana\n"
     "moongate explain --as app=support-bot,user=bo,role=lead --model auto --task code --tokens 150000\n"
     "moongate explain request.json | -                    a body, or {\"as\": …, \"model\": …, …}\n"
     "moongate explain req_0199f3… | --last                from the record of a past request\n"
     "\n"
     "Decides with the policies of the configuration, offline: rules tried, values seen, targets passed over.\n"
     "What it names under \"To let it through\" was tried: each change alone turns the denial. Budgets have the top-ups\n"
     "that hold now, a past request those that held then.\n"
     "\n"
     "  --as WHO            DEPARTMENT/USER, APP/USER, or NAME=VALUE,… (role and approval again for more)\n"
     "  --model M  --api A  --stream  --text T  --uses tools,images  --max-tokens N  --header NAME=VALUE\n"
     "  --task T  --quality Q  --data CLASS  --label L  --max-latency-ms N  --session S     hints, as the headers give them\n"
     "  --tokens N          how long it is, text and answer; also --ctx, --input-tokens, --output-tokens\n"
     "  --time 2025-06-03T12:00:00Z     --approve MODEL     --key missing|unknown|revoked|expired\n"
     "  --set NAME=VALUE    any further field that an example in a policy file may have\n"
     "  --spent 4900 | 95% | NAME=4900     what if its budgets, or that one, had used so much; or a limit just now\n"
     "  --policies DIR      this folder instead of the configuration's (any provider will do)\n"
     "  -c, --config FILE   the configuration; --json: the same as one document\n"
     "\n"
     "Exit code: 0 allowed, 1 denied (a past request: then), 2 the request, the policies or the configuration cannot be read.\n",
     command_explain},
    {"requests", "the requests there were: who, which model, what it cost",
     "moongate requests --since 24h --where department:Sales --where '!outcome:ok'\n"
     "moongate requests 'usd>0.5' --limit 200\n"
     "\n"
     "The newest first, from the ledger, also while the gateway runs; below stands what all come to that fit. Of the last\n"
     "30 days unless --since says another time. A terminal shows what it has room for, and times as of today; pipes and\n"
     "--json have all. The beginning of an id is enough for `moongate explain`.\n"
     "\n"
     "  --where CONDITION   again for more, all of which hold; also without --where:\n"
     "                      app: department: team: user: key: model: asked: target: provider: outcome: status: code:\n"
     "                      rule: policy: data: api: session: prompt: cache: kind: label:cost_center=4711\n"
     "                      dim:a,b is an or, !dim:a a not, large-* has any end, dim: is empty, \"…\" is taken as it is\n"
     "                      usd>0.5  tokens>=1000  input  output  ms>2000  status>=500  attempts>1\n"
     "                      a word alone is found in ids, names and reasons\n"
     "  --since T, --until T  24h, today, 2026-11-01 (in the billing zone), 2026-11-01T12:00:00Z\n"
     "  --limit N           50 unless said; --before SEQ goes on (--json: next)\n"
     "  -c, --config FILE   the configuration (for its data folder); --json: items, next, total, totals\n",
     command_requests},
    {"sinks test", "send a notice to each sink: does it arrive?", help_sinks_test, command_sinks_test},
    {"spend", "what was spent: by department, app, user, model, provider, key or label",
     "moongate spend --by department\n"
     "moongate spend --by model --period 2026-11-01..2026-11-15 --where department:Sales\n"
     "\n"
     "From the sums of days in the billing zone. The change is on the period before, as far as this one has come.\n"
     "\n"
     "  --by DIM            department (unless said), app, user, model, provider, key, label:NAME\n"
     "  --period P          month (unless said), 2026-11, 2026, today, yesterday, 7d, 2026-11-01..2026-11-15\n"
     "  --where CONDITION   department: app: user: model: provider: key:, as `moongate requests` takes them\n"
     "  -c, --config FILE   the configuration (for its data folder); --json: one document, exact\n",
     command_spend},
    {"budgets", "what each budget was spent in its running period, and when it runs out",
     "moongate budgets\n"
     "moongate budgets --json | jq '.budgets[] | select(.is_used_up)'\n"
     "\n"
     "Each budget of the policies with the scopes that were spent on, those that are used up first. From the ledger, also\n"
     "while the gateway runs; what requests under way hold is not in it. A bar is the part of the limit that was spent.\n"
     "On course for: what the period will have come to if it goes on as until now, and the day on which the budget is used\n"
     "up then; said once a twenty-fourth of the period is over. A limit is shown as top-ups raise it; beside it stands what\n"
     "they add, and until when: of several, until the first of them ends.\n"
     "\n"
     "  --limit N           50 unless said\n"
     "  --policies DIR      this folder instead of the configuration's\n"
     "  -c, --config FILE   the configuration; --json: one document, exact\n"
     "\n"
     "Exit code: 0 nothing is used up, 1 something is that refuses, 2 the policies or the ledger cannot be read.\n",
     command_budgets},
    {"topup", "add to one budget for a while",
     "moongate topup \"department sales\" 100 --until 2026-11-27 --reason \"quarter end, ticket 4711\"\n"
     "moongate topup app=crm 2.50 --until 12h --reason … --budget every-app\n"
     "\n"
     "Raises the limit of the budget for this scope, in USD, until it ends. Every worker of the running gateway has it\n"
     "within a second; it survives restarts and reloads. Thresholds move with the limit: 80 % is 80 % of what it is\n"
     "raised to. In a fleet each gateway is to be told.\n"
     "\n"
     "The scope is as `moongate budgets` shows it: department sales, user ana, \"app x, model y\", everybody; or\n"
     "department=sales, team:research. What has not the field: \"no team\". A comma in a name: \"user=Smith%2c Ana\".\n"
     "\n"
     "  --until WHEN        2026-11-27 (all of that day, in the budgets' zone), 2026-11-27T18:00, 30d, 12h, or period:\n"
     "                      the end of the budget's present one; at most 400 days\n"
     "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
     "  --budget NAME       which, where several are for that scope: sales, or policy/sales\n"
     "  -c, --config FILE   the configuration (for its data folder and its policies)\n"
     "  --json              id, budget, scope, amount, limit before and after, end\n"
     "\n"
     "Exit code: 0 it holds, 2 no such scope or budget, or it cannot be.\n",
     command_topup},
    {"topup list", "what was added to budgets, and until when",
     "moongate topup list\n"
     "moongate topup list --all           also what is over\n"
     "\n"
     "The scope is as it is counted: department=sales. `live` adds now, `over` has ended by itself, `ended` before.\n"
     "\n"
     "  --all               also those that are over\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              everything that is known of each\n",
     command_topup_list},
    {"topup end", "end a top-up before its time",
     "moongate topup end topup_7Q2fR8sT1uVw --reason \"ordered by mistake\"\n"
     "\n"
     "A running gateway takes the limit back within a second. Requests under way go on.\n"
     "\n"
     "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              the id, what it added, and whether it was over before\n"
     "\n"
     "Exit code: 0 ended (also before), 1 no such id.\n",
     command_topup_end},
    {"limits", "which limits and budgets hold for a caller, and what they leave",
     "moongate limits --app support-bot --user ana --model small\n"
     "moongate limits --as sales/ana --model auto --tokens 150000\n"
     "\n"
     "Every limit and budget that such a request falls under, in the order in which they refuse; those that refuse it now\n"
     "come first. Of each unit (requests, tokens, at the same time, money) the one that leaves least binds. What is left\n"
     "is asked of the running gateway; without one budgets are as in the ledger, and rates begin anew when it starts.\n"
     "Left of a rate is what may be sent right now, and resets says when nothing of it is used up. What narrows has room\n"
     "for the models that its thresholds leave, what shrinks for a shorter answer (on_low_budget = \"shrink\"); what is\n"
     "observed refuses nobody.\n"
     "\n"
     "  --app A  --user U  --department D  --team T  --tier T  --region R  --key-id K     who asks; or as --as has it\n"
     "  --as WHO            DEPARTMENT/USER, APP/USER, or NAME=VALUE,…\n"
     "  --model M  --api A  --session S  --label L  --task T  --data CLASS  --uses tools  --tokens N  --max-tokens N\n"
     "  --time 2025-06-03T12:00:00Z     --set NAME=VALUE    as `moongate explain` takes them\n"
     "  --policies DIR      this folder instead of the configuration's\n"
     "  -c, --config FILE   the configuration; --json: the same as one document\n"
     "\n"
     "Exit code: 0 it would pass, 1 it would be refused, 2 the policies or the ledger cannot be read.\n",
     command_limits},
    {"audit search", "all that the ledger has: requests, administrators' changes, losses, starts",
     "moongate audit search kind:change actor:kim --since 2026-11-01\n"
     "moongate audit search late\n"
     "\n"
     "As `moongate requests`, with reasons, and with what is no request. Further conditions: actor: and action: of\n"
     "changes, kind:exchange, import, change, loss, start, stop, alert (a budget's notice), intent (intents only when\n"
     "they are asked for).\n"
     "\n"
     "  --where CONDITION, --since T, --until T, --limit N, --before SEQ   `moongate help requests` says them\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              items with their whole entry, next\n",
     command_audit_search},
    {"audit export", "the ledger's entries as JSON lines or CSV, however many",
     "moongate audit export -o ledger.jsonl\n"
     "moongate audit export --format csv --since 2026-11 department:Sales > sales.csv\n"
     "\n"
     "JSON lines: seq, kind, hash, body; body is the text that was hashed, so that `moongate audit verify` can walk\n"
     "the chain of a whole export elsewhere. CSV (RFC 4180): a row an entry, columns by name; cells that a spreadsheet\n"
     "would take for a formula have a ' before them. Oldest first; the gateway is not held up.\n"
     "\n"
     "  --format FORMAT     jsonl (unless said) or csv\n"
     "  -o, --output FILE   a new file, for its owner alone; stdout unless said\n"
     "  --where CONDITION, --since T, --until T   `moongate help requests` says them; without any: the whole chain\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "\n"
     "CSV columns: seq, kind, id, time, usd, then those of requests as they are named in --json; actor, action,\n"
     "reason, hash. *_nano are nano-dollars, *_us microseconds, day is of the billing zone.\n",
     command_audit_export},
    {"audit tail", "the newest entries, and with -f those that come",
     "moongate audit tail -f\n"
     "moongate audit tail -f --where '!outcome:ok' --json | jq .entry.decision\n"
     "\n"
     "  -f, --follow        go on until Ctrl-C, or until nobody reads\n"
     "  -n, --lines N       10 unless said\n"
     "  --where CONDITION, --since T   `moongate help requests` says them\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              a JSON document a line\n",
     command_audit_tail},
    {"audit text", "what a policy has kept of a request's prompt and answer",
     "moongate audit text req_0199f3a2-7c41\n"
     "\n"
     "Opened with the keys in subjects.db, by whoever may read that file: the user whom the gateway runs as. What was\n"
     "erased, or is older than ledger.retain_texts, nobody can read. The beginning of an id is enough.\n"
     "\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              id; prompt and answer: state (kept, not kept, erased, damaged), text\n"
     "\n"
     "Exit code: 0 shown; 1 nothing is kept, or not any more; 2 no such request, or a file cannot be read.\n",
     command_audit_text},
    {"audit verify", "has anybody changed the ledger? walks its hashes, signatures and witnesses",
     "moongate audit verify\n"
     "moongate audit verify --key /safe/anchor.pub --witness /elsewhere/witness.jsonl\n"
     "moongate audit verify ledger.jsonl --key anchor.pub       an export, or a backup (.db), anywhere\n"
     "\n"
     "Offline: needs no gateway, and does not hold up one that runs. What anybody changed, moved, deleted or put in is\n"
     "named with its entry's number. Whoever can write the folder can also write anchor.pub: keep a copy elsewhere.\n"
     "\n"
     "  --key FILE          public keys to believe (unless said: anchor.pub of the data folder)\n"
     "  --witness FILE      what a witness has seen, a line a signed head\n"
     "  --quick             hashes and signatures alone, not columns, sums, kept texts and the file's pages\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              state, entries, head, anchored_seq, findings …\n"
     "\n"
     "Exit code: 0 intact; 1 tampered with, or not enough is there to know; 2 a file cannot be read.\n",
     command_audit_verify},
    {"replay", "decide recorded requests again, and say what changed",
     "moongate replay --since 7d                             by the configured policies\n"
     "moongate replay --policies drafts department:sales     by a folder that is not live yet\n"
     "moongate replay records.jsonl --only newly_denied --json\n"
     "\n"
     "Takes the facts, the time and every answer from each record: nothing is called or counted. A record that does not\n"
     "hold what a policy reads (a text, a large answer of a service) is not replayable, and the reason is named.\n"
     "Hooks after on_request are not run again. What requests cost is reckoned for the same tokens.\n"
     "\n"
     "  FILTER …            conditions as in `moongate requests`; also --where, --since, --until. Or one file of records,\n"
     "                      .jsonl or -: what `moongate audit export` writes, or the ledger's copy\n"
     "  --policies DIR      this folder instead of the configuration's\n"
     "  --only KIND         lists all of a kind: same, newly_denied, newly_allowed, rerouted, changed, not_replayable,\n"
     "                      undecided\n"
     "  -c, --config FILE   the configuration; --json: one document, items and sums\n"
     "\n"
     "Exit code: 0 nothing differs, 1 something does, 2 the records or the policies cannot be read.\n",
     command_replay},
    {"ledger backup", "a copy of the ledger, of one moment, while the gateway runs",
     "moongate ledger backup /backup/ledger-2026-11-29.db\n"
     "\n"
     "Writes a new file, for its owner alone; nothing is ever overwritten. Keys of kept texts (subjects.db) are not in\n"
     "it, so that what was erased stays erased: back those up elsewhere, and shred old copies after an erasure.\n"
     "\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              file, first_seq, last_seq, hash, bytes\n",
     command_ledger_backup},
    {"ledger restore", "put a backup in the ledger's place, while no gateway runs",
     "moongate ledger restore /backup/ledger-2026-11-29.db --yes\n"
     "\n"
     "Checks the file and each hash of its chain first. A ledger that is there is replaced, and what came since the\n"
     "backup is gone with it: a terminal is asked, elsewhere --yes says so.\n"
     "\n"
     "  -y, --yes           without being asked\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --try               into a folder that goes again: is the backup good? noted for `moongate checklist`\n"
     "  --json              restored, first_seq, last_seq, hash\n",
     command_ledger_restore},
    {"ledger export", "the same as `moongate audit export`",
     "moongate ledger export -o ledger.jsonl\n"
     "\n"
     "`moongate help audit export` says all.\n",
     command_audit_export},
    {"ledger check", "whether columns and sums are what the chain says; --repair makes them anew",
     "moongate ledger check\n"
     "moongate ledger check --repair --yes      while no gateway runs\n"
     "\n"
     "What is searched and summed is made from the chain; this makes it once more and compares. Whether the chain itself\n"
     "was changed is told by `moongate audit verify`.\n"
     "\n"
     "  --repair            write what differs; refused under a running gateway\n"
     "  -y, --yes           without being asked\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              ok, entries, records, differences, repaired, told\n"
     "\n"
     "Exit code: 0 the same, or repaired; 1 differences; 2 it cannot be read, or a gateway runs.\n",
     command_ledger_check},
    {"ledger rekey", "make a new key to sign the ledger with",
     "moongate ledger rekey --yes\n"
     "\n"
     "For when the key of the anchors may have been seen, or is old. At its next start the gateway has the present key\n"
     "announce the new one in the chain, then signs with it: an auditor who trusts the old one can go on. anchor.pub\n"
     "lists both then; give it to auditors again.\n"
     "\n"
     "  -y, --yes           without being asked\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              key: the new one's fingerprint\n",
     command_ledger_rekey},
    {"ledger erase", "destroy the key of what is kept of a person's prompts and answers",
     "moongate ledger erase --subject user:ana --reason 'art. 17, case 4711' --yes\n"
     "\n"
     "Nobody can read these texts again, in the ledger, its copies and its backups; the chain stays whole and says who\n"
     "asked for it and why. Records of requests stay: they hold no text. A gateway that runs does it between two\n"
     "commits; what comes later is kept under a new key. It may be asked for again, whatever was killed meanwhile.\n"
     "\n"
     "  --subject NAME      as records name it (texts.prompt.subject): user:ana; app:, key: of who has no user\n"
     "  --reason TEXT       goes into the chain\n"
     "  --actor NAME        who asks for it (unless said: your user name)\n"
     "  -y, --yes           without being asked\n"
     "  -c, --config FILE   the configuration (for its data folder)\n"
     "  --json              erased, had_key\n"
     "\n"
     "Exit code: 0 erased, or there was nothing; 2 it could not be done; 3 a gateway runs and has not said that it did.\n",
     command_ledger_erase},
    {"registry check", "whether keys, people, prompts and approvals keep what is promised of them",
     registry_check_text, command_registry_check},
    {"registry backup", "a copy of the registry, of one moment, while the gateway runs", registry_backup_text,
     command_registry_backup},
    {"registry restore", "put a backup in the registry's place, while no gateway runs", registry_restore_text,
     command_registry_restore},
    {"registry move", "take the registry from the data folder into PostgreSQL, while no gateway runs",
     registry_move_text, command_registry_move},
    {"price", "what so many tokens cost at a model, part by part",
     "moongate price small --in 1000 --out 500\n"
     "moongate price anthropic/large --in 250000 --cached 200000 --out 1200 --json\n"
     "moongate price small --in 1000 --out 500 --tier priority --at 2026-03-01\n"
     "\n"
     "Takes the prices of policies/models.lua and says, for each target of the model: the exact amount in USD, each part\n"
     "with its rate, which price it is (its revision stands in records too), and when and where it was read.\n"
     "\n"
     "  --in N              all that goes in; of it --cached N, --cache-write N (5 min), --cache-write-1h N, --audio-in N,\n"
     "                      --image-in N\n"
     "  --out N             all that comes out; of it --reasoning N, --audio-out N, --image-out N\n"
     "  --images N          pictures paid for by the piece; --searches N, --tool-calls N: of the provider's own tools\n"
     "  --seconds N         of sound that is listened to; --characters N: of text that is read aloud\n"
     "  --tier T            batch, flex, priority, fast, ultrafast, us, provisioned_throughput\n"
     "  --at DATE           2026-03-01, midnight UTC, or 2026-03-01T12:00:00Z (default: now)\n"
     "  --policies DIR      this folder instead of the configuration's\n"
     "  -c, --config FILE   the configuration; --json: one document\n"
     "\n"
     "Exit code: 0 priced, 1 unpriced or not all of it, 2 no such model, or something cannot be read.\n",
     command_price},
    {"tokens", "how many tokens a text or a request is, as the gateway counts it",
     "moongate tokens --model small --text 'Hello, world!'\n"
     "moongate tokens request.json                  a request body: each message, tools, pictures, the whole\n"
     "moongate tokens --model openai/large notes.md | -\n"
     "\n"
     "Exact where the provider's vocabulary and rules are public, else an estimate that says so. Works without any\n"
     "configuration; with a moongate.lua at hand the names of policies/models.lua are known too.\n"
     "\n"
     "  --model MODEL       needed where the request names none\n"
     "  --text TEXT         this text\n"
     "  --plain             the file is a text, although it looks like a request\n"
     "  --policies DIR      this folder instead of the configuration's\n"
     "  -c, --config FILE   the configuration; --json: one document\n"
     "\n"
     "Exit code: 0 counted, 2 something cannot be read.\n",
     command_tokens},
    PROMPTS_COMMANDS
    {"reload", "ask the running gateway to load its files again",
     "moongate reload\n"
     "\n"
     "All or nothing: every worker changes over, or none does and the reason is printed.\n"
     "Requests under way keep the policies that admitted them.\n"
     "\n"
     "  -c, --config FILE   the configuration of that gateway (for its data folder)\n"
     "  --json              the gateway's answer as it is\n"
     "\n"
     "Exit code: 0 accepted, 1 rejected, 3 no gateway there.\n",
     command_reload},
    {"bundle manifest", "write down what is to be signed of the policies",
     "moongate bundle manifest --serial 42 --base DIGEST     both as they follow from what was there, unless said\n"
     "moongate bundle manifest --rebase                      upon what is in force now, to be signed again\n"
     "\n"
     "Writes policies/.bundle: a serial that grows, the digest in force before, a line a file. Signatures of the one before\n"
     "go. Run where the gateway's data folder is, it follows what was accepted last; elsewhere what was signed last.\n",
     command_bundle_manifest},
    {"bundle sign", "sign it, with ssh-keygen",
     "moongate bundle sign --key ~/.ssh/id_ed25519           .pub: an agent has the key\n"
     "\n"
     "Writes policies/.signatures/PRINCIPAL.sig, by the principal that gate.signers has for the key, or --as NAME.\n",
     command_bundle_sign},
    {"bundle verify", "would the gate take these policies?",
     "moongate bundle verify                                 one line; --json: all of it\n"
     "\n"
     "Exit code: 0 enough people have signed, 1 refused, 2 something cannot be read, or there is no gate.\n",
     command_bundle_verify},
    {"bundle status", "who has signed, who may still, what was accepted last",
     "moongate bundle status                                 as verify, with each signature and why it does not count\n",
     command_bundle_status},
    {"bundle rollback", "go back to a bundle that was accepted before",
     "moongate bundle rollback                               the one before; or its SERIAL\n"
     "\n"
     "The gateway keeps the last five that it accepted, with their signatures. The folder stays as it is; what was gone\n"
     "back from does not come again: the next bundle has a serial above all, and follows the one that is in force.\n"
     "\n"
     "Exit code: 0 it is in force, 1 refused or not kept, 3 no gateway there.\n",
     command_bundle_rollback},
    {"keys create", "make an API key; it is shown once", help_keys_create, command_keys_create},
    {"keys list", "the keys there are, never the keys themselves", help_keys_list, command_keys_list},
    {"keys revoke", "end a key's life at once", help_keys_revoke, command_keys_revoke},
    {"keys rotate", "a new key in the place of one, which lives on for a while", help_keys_rotate, command_keys_rotate},
    {"people list", "people and services, with their roles", help_people_list, command_people_list},
    {"people create", "a new person or service", help_people_create, command_people_create},
    {"people disable", "nothing of a person counts any more", help_people_disable, command_people_disable},
    {"people enable", "and again", help_people_enable, command_people_enable},
    {"people merge", "two accounts are one person", help_people_merge, command_people_merge},
    {"roles list", "who has which role", help_roles_list, command_roles_list},
    {"roles give", "give a role to somebody else", help_roles_give, command_roles_give},
    {"roles take", "take a role", help_roles_take, command_roles_take},
    {"provider list", "provider accounts that were switched", help_provider_list, command_provider_list},
    {"provider disable", "switch a provider account off", help_provider_disable, command_provider_disable},
    {"provider enable", "switch it on again", help_provider_enable, command_provider_enable},
    HELP_APPROVALS_COMMANDS,
    HELP_REVIEWS_COMMANDS,
    {"version", "what is running here", "moongate version --json\n", command_version},
    {"help", "this list, a command, a diagnostic's code, or the fields of moongate.lua",
     "moongate help keys create\nmoongate help MG0103\nmoongate help undefined_name\n"
     "moongate help codes\nmoongate help config\nmoongate help config timeouts\n", command_help},
    {NULL, NULL, NULL, NULL},
};
