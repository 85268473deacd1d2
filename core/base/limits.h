/*
 * Every bound that the gateway puts on what peers, policies and operators may ask of it, in one place.
 *
 * A bound with "default" in its comment can be changed in moongate.lua; the others are fixed.
 * Sizes are bytes, times carry their unit.
 */
#ifndef MOONGATE_BASE_LIMITS_H
#define MOONGATE_BASE_LIMITS_H

#define KIB 1024u
#define MIB (1024u * 1024u)

/* Edge: HTTP/1.1 requests */
#define LIMIT_REQUEST_LINE_BYTES (8u * KIB)
#define LIMIT_HEADER_LINE_BYTES (8u * KIB)
#define LIMIT_HEADERS_BYTES (32u * KIB)
#define LIMIT_HEADERS_COUNT 100u
#define LIMIT_BODY_BYTES (32u * MIB)       /* default of limits.body */
#define LIMIT_CHUNK_EXT_BYTES 256u         /* chunk extensions and padding of one chunk line */
#define LIMIT_CHUNK_EXT_TOTAL_BYTES (64u * KIB) /* the same over a whole body */
#define LIMIT_TRAILERS_BYTES (8u * KIB)    /* after a chunked body; checked and dropped */
#define LIMIT_TRAILERS_COUNT 32u
#define LIMIT_PIPELINE_BYTES (64u * KIB)   /* read ahead while an earlier request is being answered */
#define LIMIT_LINGER_BYTES (16u * MIB)     /* read and dropped after an early answer, so that the client may read it */
#define LIMIT_LINGER_STRANGER_BYTES (1u * MIB) /* … and of who has shown no good key */
#define LIMIT_LINGER_TURN_BYTES (512u * KIB) /* … and of all of them in one turn of the loop */
#define LIMIT_LINGER_MS 5000u              /* the same, in time */
#define LIMIT_CONNECTIONS 10000u           /* default of limits.connections, per worker */
#define LIMIT_DESCRIPTORS_OWN 48u          /* of a process's descriptors, kept for files, pipes, looking names up … */
#define LIMIT_DESCRIPTORS_UNKNOWN 1024u    /* where the system does not say how many a process may have */
#define LIMIT_ADMIN_CONNECTIONS 256u       /* to the admin listener; one more takes the place of the oldest */
#define LIMIT_OVERLOADED 256u              /* connections above the cap that are still answered with 503 */
#define LIMIT_STRANGERS 1024u              /* default of limits.strangers, per worker: connections without a good key */
#define LIMIT_STRANGERS_BYTES (32u * MIB)  /* what all of them together have sent of heads, per worker */
#define LIMIT_HELD_KEY_BYTES (128u * MIB)  /* default of limits.key_bytes: requests of one key held in a worker … */
#define LIMIT_HELD_BYTES (512u * MIB)      /* … default of limits.worker_bytes: and of all of them */
#define LIMIT_OUTPUT_HIGH_BYTES (256u * KIB) /* client's unsent bytes: above, the fetch waits until they are a fourth */
#define LIMIT_OUTPUT_ALL_BYTES (256u * MIB)  /* of all a worker's clients together; beyond, each may have … */
#define LIMIT_OUTPUT_CROWDED_BYTES (32u * KIB) /* … so much only, and is resumed below a fourth of it */
#define LIMIT_OUTPUT_KERNEL_BYTES (128u * KIB) /* not yet sent that the kernel takes of one client's answer */
#define LIMIT_HEADER_TIMEOUT_MS 10000u     /* default of timeouts.header */
#define LIMIT_BODY_TIMEOUT_MS 60000u       /* default of timeouts.body: between two reads of a body, and in all … */
#define LIMIT_BODY_RATE (8u * KIB)         /* … with a second more for so many bytes: default of limits.body_rate */
#define LIMIT_IDLE_TIMEOUT_MS 75000u       /* default of timeouts.idle: keep-alive connection without a request */
#define LIMIT_WRITE_TIMEOUT_MS 120000u     /* default of timeouts.write: a client that takes nothing */

/* JSON request bodies */
#define LIMIT_JSON_DEPTH 64u
#define LIMIT_JSON_NODES (1024u * 1024u)
#define LIMIT_JSON_KEY_BYTES (4u * KIB)
#define LIMIT_USAGE_MEMBERS 256u           /* of one object on the way to an answer's usage, and in it */
#define LIMIT_MODEL_BYTES 256u             /* a model's name; it goes into records and messages */
#define LIMIT_TRANSLATE_PARTS 65536u       /* messages, parts and tools of one that goes to another dialect */
#define LIMIT_TRANSLATE_TOOL_NAMES 1024u   /* of its tools that are called otherwise there */

/* Templates of prompts */
#define LIMIT_TEMPLATE_BYTES (256u * KIB)       /* of all texts of a version */
#define LIMIT_TEMPLATE_MESSAGES 64u
#define LIMIT_TEMPLATE_VARIABLES 64u
#define LIMIT_TEMPLATE_PIECES 65536u            /* runs of text, and holes */
#define LIMIT_TEMPLATE_NAME_BYTES 64u           /* of a variable */
#define LIMIT_TEMPLATE_CHOICES 256u             /* of one variable */
#define LIMIT_TEMPLATE_VALUE_BYTES (64u * KIB)  /* default of a variable's max */
#define LIMIT_TEMPLATE_MAX_BYTES (16u * MIB)    /* of what it may say */
#define LIMIT_TEMPLATE_ITEMS 4096u              /* of a list */
#define LIMIT_PROMPTS 16384u                    /* of one registry */
#define LIMIT_PROMPT_VERSIONS 1000u             /* of one prompt */
#define LIMIT_PROMPT_VERSIONS_ALL 262144u       /* … and of all of them */
#define LIMIT_PROMPT_LABELS 100u                /* of one prompt */
#define LIMIT_PROMPTS_MIB 512u                  /* what workers map of all of them */

/* Forms (multipart/form-data) */
#define LIMIT_FORM_PARTS 256u
#define LIMIT_FORM_HEAD_BYTES (8u * KIB) /* of a part: its headers */
#define LIMIT_LINE_MODELS 64u          /* that the lines of a batch's file name */
#define LIMIT_FORM_NAME_BYTES 1024u      /* of a part, and of a file */

/* Server-sent events from a provider */
#define LIMIT_EVENT_BYTES (64u * KIB)      /* an unfinished event is held whole up to this, then read on its way */
#define LIMIT_EVENTSTREAM_BYTES (2u * MIB) /* of one message of AWS's: LIMIT_REDACT_EVENT_BYTES in base64, and more */
#define LIMIT_TRANSLATE_CALLS 256u         /* of tools in an answer that is translated, and its parts that wait */
#define LIMIT_TRANSLATE_ID_BYTES 256u      /* of its id, which stands in each of its client's events */
#define LIMIT_TRANSLATE_CALL_ID_BYTES (4u * KIB) /* of a call's, where some providers keep what they want back */
#define LIMIT_FAILURE_TEXT_BYTES 2000u     /* of a provider's error that is no JSON, for a client of another dialect */

#define LIMIT_SAID_KEPT 1024u              /* nodes and texts of an answer's reading that are kept for the next one */
#define LIMIT_SKIM_BYTES (64u * KIB)       /* an answer too large to be kept is read in pieces of about this size … */
#define LIMIT_SKIM_BYTES_MAX (256u * KIB)  /* … and what belongs together is, up to this */
#define LIMIT_SKIM_KEY_BYTES 64u           /* names of members that count there */
#define LIMIT_SKIM_PLACES 128u             /* elements of a list that are told apart there */
#define LIMIT_METER_TEXTS 256u             /* texts of one answer that are counted apart: choices, tool calls … */

/* Counting tokens */
#define LIMIT_TOKEN_PIECE_BYTES (16u * KIB) /* a text without a boundary for this long is cut there: 3 ms at worst */
#define LIMIT_TOKEN_RECENT 32768u            /* short pieces whose counts a process remembers, for each vocabulary */
#define LIMIT_COUNT_MEMO 16384u              /* counts of texts that a worker remembers, in 384 KiB … */
#define LIMIT_COUNT_MEMO_BYTES_MIN 128u      /* … shorter ones are counted as quickly as they are found … */
#define LIMIT_COUNT_MEMO_BYTES_MAX (8u * MIB) /* … longer ones take too long to hash in one turn */
#define LIMIT_COUNT_IMAGE_BYTES (256u * KIB) /* of a picture, to find its size */
#define LIMIT_COUNT_IMAGE_PIXELS 65535u      /* of one side; what says more is not believed */
#define LIMIT_COUNT_STEP_BYTES (16u * KIB) /* of text at a time: the clock is looked at between them … */
#define LIMIT_COUNT_SLICE_MS 2u            /* … and after this much of a turn the others have theirs */

/* Upstream */
#define LIMIT_RESPONSE_HEAD_BYTES (64u * KIB)
#define LIMIT_RESPONSE_HEADERS_COUNT 256u
#define LIMIT_RESPONSE_INSPECT_BYTES (4u * MIB) /* an answer up to this is kept: a failure is clean, policies read it */
#define LIMIT_UPSTREAM_CONNECTIONS 4096u   /* idle and busy, per worker; above every expected concurrency */
#define LIMIT_CONNECT_TIMEOUT_MS 5000u     /* default of timeouts.connect */
#define LIMIT_FIRST_BYTE_TIMEOUT_MS 300000u /* default of timeouts.first_byte */
#define LIMIT_UPSTREAM_IDLE_TIMEOUT_MS 120000u /* default of timeouts.upstream_idle: between upstream bytes */
#define LIMIT_TOTAL_TIMEOUT_MS 3600000u    /* default of timeouts.total */
#define LIMIT_EARLIER_BYTES (64u * KIB)     /* of a failure's body, where another provider is to make it good … */
#define LIMIT_EARLIER_MS 100u               /* … and how long that waits for it */
#define LIMIT_STREAM_END_MS 100u            /* from a stream's end marker to its end, where somebody waits for it */
#define LIMIT_RETRY_WAIT_S 60u             /* clients of OpenAI's wait no longer for a Retry-After, they ask before */
#define LIMIT_CONCEAL_BYTES_MIN 8u         /* a shorter secret is not looked for in answers: it may be a word of them */
#define LIMIT_CONCEAL_BACKSLASHES 15u      /* before one character of a secret: JSON in JSON, four deep */
#define LIMIT_PROVIDER_MEMBERS 64u         /* a provider's rejects, accepts and renames, each, in moongate.lua */
#define LIMIT_PROVIDER_HEADERS 32u         /* a provider's headers and pass, each, in moongate.lua */
#define LIMIT_CORS_ORIGINS 64u

/* Policies */
#define LIMIT_POLICY_STATE_BYTES (64u * MIB)  /* one generation's Lua heap */
#define LIMIT_POLICY_EVAL_BYTES (16u * MIB)   /* bytes requested by one evaluation */
#define LIMIT_POLICY_BYTECODES 2000000u       /* default of policy.bytecodes, one evaluation */
#define LIMIT_POLICY_STRING_BYTES (4u * MIB) /* string.rep in a policy */
#define LIMIT_POLICY_CPU_MS 50u               /* default of policy.cpu, one evaluation */
#define LIMIT_POLICY_DEADLINE_MS 2000u        /* default of policy.deadline, wall time of one evaluation */
#define LIMIT_POLICY_STACK_BYTES (1u * MIB)   /* C stack under one evaluation */
#define LIMIT_POLICY_FILE_BYTES (2u * MIB)     /* of some 10,000 models */
#define LIMIT_POLICY_PLAIN_BYTES (256u * KIB) /* of a bundle: each so many more let its files take as long again */
#define LIMIT_POLICY_FILES 1000u
#define LIMIT_POLICY_PATH_BYTES 48u            /* of one file, relative to the folder */
#define LIMIT_POLICY_BUNDLE_BYTES (16u * MIB) /* all files together */
#define LIMIT_GOVERNANCE_BYTES (4u * MIB)       /* of the rules of governance, written out */
#define LIMIT_POLICY_GENERATIONS 64u          /* live at once; a reload beyond is refused */
#define LIMIT_EGRESS 256u                      /* services in moongate.lua that policies may call */
#define LIMIT_EGRESS_TIMEOUT_MS 1000u         /* default of a service's timeout */
#define LIMIT_EGRESS_ANSWER_BYTES (256u * KIB) /* default of a service's answer */
#define LIMIT_POLICY_JSON_BYTES (4u * MIB)    /* of one text that a policy encodes or decodes */
#define LIMIT_POLICY_CACHE_BYTES (16u * MIB)  /* all that policies keep in one worker's cache */
#define LIMIT_POLICY_CACHE_ENTRIES 16384u
#define LIMIT_DELTA_BYTES 256u                /* text of a stream that is judged at a time … */
#define LIMIT_DELTA_MS 200u                   /* … or what came in this time */
#define LIMIT_COUNTERS_ITEMS 128u             /* limits and budgets that one request falls under at once */
#define LIMIT_COUNTERS_SCOPE 16u              /* fields that one of them counts by */
#define LIMIT_COUNTERS_CELLS (1u << 20)       /* keys that are counted at once on one machine, 64 bytes each … */
#define LIMIT_COUNTERS_HOLDS (1u << 16)       /* … and requests that have taken something, some 290 bytes each */
#define LIMIT_COUNTERS_ASK_MS 2u              /* a worker is kept so long by others who have the counters' lock … */
#define LIMIT_COUNTERS_LOCK_MS 20u            /* … and where it says what is over … */
#define LIMIT_COUNTERS_KEPT_MS 50u            /* … but for who has kept it so long already nobody waits */
#define LIMIT_COUNTERS_WAIT_MS 1000u          /* an admission waits meanwhile; then on_store_loss holds */
#define LIMIT_COUNTERS_HELD_MS 2000u          /* a process that keeps others out of them for so long is killed */
#define LIMIT_COUNTERS_REDIS_MS 50u           /* default of redis.timeout: an answer of Redis is waited for so long */
#define LIMIT_COUNTERS_ERRAND_MS 2000u        /* … and by the ledger process, for which nobody waits */
#define LIMIT_COUNTERS_SEEN 16384u            /* budgets of which a worker knows what Redis said of them last … */
#define LIMIT_COUNTERS_SEEN_MS 60000u         /* … which is good for so long while it is out of reach */
#define LIMIT_COUNTERS_BEAT_MS 1000u          /* a gateway tells Redis this often that it lives … */
#define LIMIT_COUNTERS_LEASE_MS 15000u        /* … and is taken for dead after this, unless moongate.lua says else */
#define LIMIT_COUNTERS_GRACE_MS 2500u         /* gateways have so long to tell a new memory of Redis their sums */
#define LIMIT_COUNTERS_LOOK_MS 15000u         /* holds without a living owner, or with a record, are looked for … */
#define LIMIT_COUNTERS_SWEEP_MS 5000u         /* … and a page of what nobody would miss … */
#define LIMIT_COUNTERS_SWEEP_MORE_MS 500u     /* … more at once, for so long, where there is some; keys of limits … */
#define LIMIT_COUNTERS_RATE_KEPT_S 3600u      /* … that were idle for so long … */
#define LIMIT_COUNTERS_SESSION_KEPT_S 86400u  /* … and of budgets' sessions that were over for so long */
#define LIMIT_COUNTERS_CLEARED_S 600u         /* a Redis that loses less may have again what was cleared away */
#define LIMIT_COUNTERS_LEAVE_MS 1000u         /* a gateway that ends waits for Redis to take its leave */
#define LIMIT_COUNTERS_GATEWAYS 10000u        /* that moongate.lua may name */
#define LIMIT_COUNTERS_OVER_S 3600u           /* what a period was spent is known for so long after its end */
#define LIMIT_COUNTERS_FULL_MS 60000u         /* sums that find no place are told again so often */
#define LIMIT_POLICY_REDIS_BYTES (64u * KIB) /* of what a policy has from Redis */
#define LIMIT_COUNTERS_VALUE_BYTES 128u       /* of a name that is counted by: longer ones count by their hash */
#define LIMIT_COUNTERS_CLOCK_S 5u             /* a period is for what came so long before and after it: clocks differ */
#define LIMIT_COUNTERS_TOLD 256u              /* sums, holds that are told to, or looked at in Redis at once */
#define LIMIT_COUNTERS_UNSAID 4096u           /* ends of holds that Redis is told of when it can be reached again */
#define LIMIT_NOTICE_RECEIVERS 16u            /* whom one notice of a budget goes to */
#define LIMIT_NOTICE_TEXT_BYTES 1024u         /* of its text, and of each word in it … */
#define LIMIT_NOTICE_BYTES (64u * KIB)        /* … and of all of it */
#define LIMIT_NOTICES_KNOWN 4096u             /* of which a worker knows it … */
#define LIMIT_NOTICES_KNOWN_MS 60000u         /* … for so long: then it tells the ledger again, which knows better */
#define LIMIT_NOTICES_AWAITED 256u            /* thresholds that a worker looks at until they are reached … */
#define LIMIT_NOTICE_AWAIT_MS 250u            /* … so often … */
#define LIMIT_NOTICE_UNCOUNTED_MS 2000u       /* … or so often, where nothing is held of what may reach them … */
#define LIMIT_NOTICE_UNCOUNTED_S 600u         /* … and then for so long after the last such request, or its outage */
#define LIMIT_NOTICES_KEPT_S (400u * 86400u)  /* that a notice was given; no period of a budget is longer */
#define LIMIT_OWNED (1u << 18)                /* objects whose owners all processes know at once; 40 bytes each */
#define LIMIT_OBJECTS_MS 2000u                /* it is waited for who owns what a request names */
#define LIMIT_LISTED 100u                     /* objects of a page of a list */
#define LIMIT_LISTED_USUALLY 20u              /* … where its caller says no number */
#define LIMIT_LIST_ASKED 10000u               /* a caller may say so many, and gets LIMIT_LISTED of them */
#define LIMIT_OBJECTS_TELLING 4096u           /* of a worker's, that a fleet's Redis is still to be told */
#define LIMIT_OBJECTS_AGAIN_MS 1000u          /* … after a failure, so much later */
#define LIMIT_KEPT 64u                        /* objects of a provider that one request names */
#define LIMIT_MADE 1024u                      /* … and that its answer makes */
#define LIMIT_KEPT_ID_BYTES 256u              /* of the id of one */
#define LIMIT_TARGETS 16u                     /* candidates of one request */
#define LIMIT_TRACE_ENTRIES 256u
#define LIMIT_DATA_LABELS 32u                 /* of one request's data, in its record */
#define LIMIT_ASKED_NOTES 128u                /* answers that one record keeps of what policies asked … */
#define LIMIT_ASKED_BYTES (8u * KIB)          /* … all of them together … */
#define LIMIT_ASKED_VALUE_BYTES (2u * KIB)    /* … one of them: of a service, of the counters, of a header … */
#define LIMIT_ASKED_KEY_BYTES 256u            /* … and what it was asked by; longer ones are not replayable */
#define LIMIT_ASKED_WORD_BYTES 256u           /* a hint, as records keep it */
#define LIMIT_ASKED_MISSES 16u                /* names of what one record does not keep */

/* Detectors and keyword lists */
#define LIMIT_DETECT_HOLD_BYTES (4u * KIB)    /* of a stream, held back until what it may become is known */
#define LIMIT_DETECT_MASKS 32u                /* of one policy generation */
#define LIMIT_DETECT_MASK_BYTES 64u
#define LIMIT_DETECT_NAME_BYTES 64u
#define LIMIT_SIGHT_LEVELS 8u                 /* of JSON in strings of JSON that a text is read through */
#define LIMIT_SIGHT_BRACKETS 1000000u         /* open at once in one of them; beyond, nobody reads it as JSON */
#define LIMIT_KEYWORDS 4096u                  /* words of one list */
#define LIMIT_KEYWORD_BYTES 256u
#define LIMIT_KEYWORDS_TABLE_BYTES (16u * MIB) /* the automaton of one list */
#define LIMIT_QUIET_MEMO 32768u               /* texts a worker remembers in which a list found nothing, in 768 KiB … */
#define LIMIT_QUIET_MEMO_BYTES_MIN 256u       /* … shorter ones are scanned as quickly as they are found … */
#define LIMIT_QUIET_MEMO_BYTES_MAX (1u * MIB) /* … longer ones are seldom sent again */
#define LIMIT_REDACT_SCAN_BYTES (256u * KIB)  /* default of max_scan: text of one request */
#define LIMIT_REDACT_SCAN_MAX (16u * MIB)     /* the most that max_scan may be */
#define LIMIT_REDACT_QUEUE_BYTES (64u * KIB)  /* events held back because the text in them is not settled */
#define LIMIT_REDACT_EVENT_BYTES (1u * MIB)   /* of one event of a stream that policies read or redact */
#define LIMIT_REDACT_TEXTS 1024u              /* texts of one streamed answer: choices, tool calls … */

/* A turn of the loop (net/loop.h) */
#define LIMIT_TURN_MS 2u                   /* so long, and the callback under way; then accepting, timers, heartbeat */
#define LIMIT_TURN_FETCH_BYTES (64u * KIB) /* read of one provider's answer in one turn, and one read more */

/* Processes */
#define LIMIT_LARGE_BYTES (512u * KIB)     /* a piece of memory from here on is mapped by itself (base/mem.h) */
#define LIMIT_BACKGROUND_SLICE_MS 1u       /* long work holds a loop no longer than this before others have a turn */
#define LIMIT_FIBER_STACK_BYTES (4u * MIB) /* taken as it is used; above LIMIT_POLICY_STACK_BYTES */
#define LIMIT_WORKERS 256u
#define LIMIT_HEARTBEAT_MS 5000u           /* a worker silent for this long is killed and replaced */
#define LIMIT_LEDGER_HEARTBEAT_MS 60000u   /* the same of those that commit to a disk, which may be slow */
#define LIMIT_DRAIN_MS 30000u              /* default of drain.grace */
#define LIMIT_CONTROL_LINE_BYTES (64u * KIB)
#define LIMIT_LEDGER_HELD_BYTES (16u * MIB) /* records of a worker, until the ledger has them; beyond, they are lost */
#define LIMIT_LEDGER_PATIENCE_MS 2000u     /* without a ledger; then what must be recorded is refused */
#define LIMIT_LEDGER_STUCK_MS 3000u        /* with records and no acknowledgement, up to twice that; then the same */
#define LIMIT_RECORD_TIMEOUT_MS 30000u     /* default of timeouts.record: an answer's end waits for its record */
#define LIMIT_LEDGER_LEAVE_MS 5000u        /* a worker that ends waits for its last records */
#define LIMIT_RECORD_TEXT_BYTES (256u * KIB) /* of a prompt or an answer that is kept, each */
#define LIMIT_KEYRING_BYTES (128u * MIB)   /* the section of all keys that workers hold */
#define LIMIT_KEYS 1000000u                /* in it */
#define LIMIT_KEY_FIELD_BYTES 256u         /* one field of a key: app, department, a label … */
#define LIMIT_KEY_LIFE_MS 3155760000000u   /* of a key, and of the grace of one that was rotated: 100 years */
#define LIMIT_KEY_LIST 256u                /* roles, labels, approvals of one key, each */
#define LIMIT_REGISTRY_MS 2000u            /* a statement to a registry in PostgreSQL; then it counts as away */
#define LIMIT_REGISTRY_OPEN_MS 15000u      /* … connecting to it, and making or checking its tables */
#define LIMIT_TOPUPS 1000u                 /* of budgets, that have not ended */
#define LIMIT_TOPUPS_PAST_S 86400u         /* for so long behind its end workers have one, should a clock be wrong */
#define LIMIT_TOPUP_NANO 4000000000000000 /* of one, and of all of one budget and scope: 4,000,000 USD */
#define LIMIT_TOPUP_S (400u * 86400u)      /* from its making to its end */
#define LIMIT_TOPUP_NAME_BYTES 4096u       /* of its budget, and of its scope */
#define LIMIT_TOPUPS_BYTES (64u * MIB)     /* the section of all top-ups that workers hold */
#define LIMIT_ACCESS_LISTED 10000u          /* requests, or grants, of one list: the newest */
#define LIMIT_REVIEW_ITEMS 20000u           /* of one access review */
#define LIMIT_REVIEW_EVIDENCE_BYTES (32u * MIB) /* a document that is verified */
#define LIMIT_GRANTS 100000u               /* of access, that workers hold */
#define LIMIT_GRANTS_PAST_S 604800u        /* for so long behind its end workers have one, should a clock be wrong */
#define LIMIT_GRANT_TEXT_BYTES 2048u       /* its purpose, its subject, its model */
#define LIMIT_GRANTS_BYTES (256u * MIB)    /* the section of all of them */
#define LIMIT_SECTION_FILE_BYTES (1024u * MIB) /* of the registry's sections, kept for a start without it */
#define LIMIT_SECTIONS 72u                 /* of the registry that workers hold: one of each kind, and 64 of texts */
#define LIMIT_LOGIN_BYTES 64u              /* name of who changes something */
#define LIMIT_REASON_BYTES 500u            /* … and what for, if he says so */
#define LIMIT_CONTROL_ANSWER_BYTES (4u * MIB)
#define LIMIT_CONTROL_CLIENTS 16u
#define LIMIT_PIPE_MESSAGE_BYTES (1u * MIB)  /* what is larger travels as a memory file */
#define LIMIT_PIPE_QUEUE_BYTES (16u * MIB)   /* not yet taken by the other process */

/* Signatures by SSH keys (store/sshsig/) */
#define LIMIT_SSHSIG_BYTES (8u * KIB)      /* of one as text */
#define LIMIT_SSHSIG_RSA_BITS_MIN 3072u
#define LIMIT_SSHSIG_RSA_BITS_MAX 8192u
#define LIMIT_SIGNATURES 64u              /* of one bundle */
#define LIMIT_SIGNERS 256u                 /* lines of keys in a file of allowed signers */
#define LIMIT_SIGNERS_BYTES (64u * KIB)    /* of that file */
#define LIMIT_SIGNERS_REFUSED 16u          /* of its lines that are named */
#define LIMIT_SIGNER_NAME_BYTES 64u        /* of a principal */
#define LIMIT_SIGNER_NAMES 16u             /* principals in a line */

/* The ledger's seals (store/anchor/anchor.h, store/texts/texts.h) */
#define LIMIT_ANCHOR_KEYS 32u              /* public keys that an auditor gives at once: the present one, older ones */
#define LIMIT_ANCHOR_LINE_BYTES (4u * KIB) /* of one anchor as a witness has it */
#define LIMIT_ANCHOR_FILE_BYTES (64u * KIB) /* a key's file, and that of all public ones */
#define LIMIT_ANCHOR_MS 60000u             /* entries wait no longer for an anchor … */
#define LIMIT_ANCHOR_ENTRIES 10000u        /* … and no more of them do */
#define LIMIT_WITNESS_BATCH 64u            /* anchors that a witness is sent at once */
#define LIMIT_WITNESS_RETRY_MS 1000u       /* one that did not take them is tried again, first after this … */
#define LIMIT_WITNESS_RETRY_MS_MAX 60000u  /* … then twice as long each time, up to this */
#define LIMIT_WITNESS_MS 10000u            /* one call of a webhook, whole */
#define LIMIT_CA_FILE_BYTES (4u << 20)      /* of authorities, in moongate.lua; a system's have 200 KB */
#define LIMIT_SINKS 32u                    /* in moongate.lua that notices go to */
#define LIMIT_SINK_COMMAND_WORDS 32u       /* of a sink's command */
#define LIMIT_NOTICE_MS 10000u             /* one attempt to send a notice, whole: a call or a command */
#define LIMIT_NOTICE_LOOK_MS 500u          /* what is still to be sent is looked through so often */
#define LIMIT_NOTICE_RETRY_MS 1000u        /* one that was not taken is sent again, first after this … */
#define LIMIT_NOTICE_RETRY_MS_MAX 300000u  /* … then twice as long each time, up to this, less a random part */
#define LIMIT_NOTICE_KEEP_S 86400u         /* … and after so long never again */
#define LIMIT_TEXT_BYTES (64u * MIB)       /* of one prompt or answer that is kept */
#define LIMIT_TEXT_SUBJECT_BYTES 256u      /* whom a text is about: a user, a key … */
#define LIMIT_VERIFY_LINE_BYTES (64u * MIB) /* of an export that is verified */

/* moongate.lua */
#define LIMIT_CONFIG_FILE_BYTES (1u * MIB)
#define LIMIT_CONFIG_STATE_BYTES (16u * MIB) /* Lua heap while it is evaluated */
#define LIMIT_CONFIG_BYTECODES 5000000u
#define LIMIT_CONFIG_DEPTH 16u
#define LIMIT_SOURCE_DEPTH 256u            /* brackets and blocks in a Lua file; Lua itself takes 200 */
#define LIMIT_SOURCE_GIVERS 64u            /* functions of a file that return decisions, told apart from others */
#define LIMIT_SOURCE_ARGUMENTS 512u        /* tokens of one call that is looked at */
#define LIMIT_SECRET_BYTES (16u * KIB)     /* what env and file stand for */
#define LIMIT_HOST_BYTES 253u              /* a name of the DNS */
#define LIMIT_PROVIDERS 256u
#define LIMIT_BREAKER_FAILURES 5u          /* default of a provider's breaker.failures: in a row … */
#define LIMIT_BREAKER_WINDOW_MS 60000u     /* … breaker.window: from the first of them to the last … */
#define LIMIT_BREAKER_OPEN_MS 10000u       /* … breaker.open: so long its account is passed over … */
#define LIMIT_BREAKER_OPEN_MAX_MS 120000u  /* … breaker.open_max: and at most, doubled each time that a probe fails */
#define LIMIT_BREAKER_HINT_MS 3000u        /* what other gateways say of one is good for so long */
#define LIMIT_BREAKER_LEASE_MS 5000u       /* a probe whose process was not heard of for so long is over */
#define LIMIT_CHECK_MS 10000u              /* the forked checker of configuration and policies; then it is killed */
#define LIMIT_GATE_MS 30000u               /* the specs of a bundle before it goes live, unless gate.timeout says so */
#define LIMIT_GATE_MS_MAX 120000u          /* what gate.timeout may say */
#define LIMIT_WATCH_VALUES 200000u         /* what a test looks at to see whether policies remember something */
#define LIMIT_DIAGNOSTICS 200u             /* errors told of one load; the others are counted */

/* Tokens (JWT) and the keys that verify them (JWKS) */
#define LIMIT_TOKEN_BYTES (8u * KIB)       /* the whole token; a header line is no longer */
#define LIMIT_TOKEN_MEMBERS 256u           /* members of its header, and of its claims, on the top level */
#define LIMIT_TOKEN_CACHE 8192u            /* verified tokens remembered, per worker */
#define LIMIT_KID_BYTES 256u
#define LIMIT_JWKS_BYTES (256u * KIB)
#define LIMIT_JWKS_KEYS 128u
#define LIMIT_JWKS_SOURCES 16u             /* URLs that one generation names */
#define LIMIT_ISSUERS 16u
#define LIMIT_AUTH_NAMES 16u               /* headers, audiences, claims of one issuer, each */
#define LIMIT_JWKS_REFRESH_MS 600000u      /* keys are fetched anew after this long … */
#define LIMIT_JWKS_RETRY_MS 5000u          /* … and after a failure at first after this, doubling up to the above */
#define LIMIT_JWKS_ASKED_BURST 3u          /* refreshes on account of unknown keys: as many at once … */
#define LIMIT_JWKS_ASKED_MS 10000u         /* … and one more each such time */
#define LIMIT_JWKS_FETCH_MS 10000u         /* one fetch, whole */
#define LIMIT_JWKS_STALE_S (24u * 3600u)   /* keys of a source that has not answered for this long count no more */
#define LIMIT_JWKS_WAIT_MS 3000u           /* a request waits for its issuer's keys at most this long … */
#define LIMIT_JWKS_WAITERS 1024u           /* … and not more than so many of a worker */

/* Tokens that provider accounts are given for a key of theirs (Google's) */
#define LIMIT_ACCESS_TOKENS 64u                 /* credentials of one configuration */
#define LIMIT_ACCESS_TOKEN_BYTES 4096u          /* a token; Google's have 2 KiB at most */
#define LIMIT_ACCESS_TOKEN_FIELD_BYTES 1024u    /* an address, a URL of a key file */
#define LIMIT_ACCESS_TOKEN_ANSWER_BYTES (64u * KIB)
#define LIMIT_ACCESS_TOKEN_LIFE_S (12u * 3600u) /* one that is said to be good for longer is asked for anew then */
#define LIMIT_ACCESS_TOKEN_SKEW_S 30u           /* so much may our clock be ahead of theirs */
#define LIMIT_ACCESS_TOKEN_FETCH_MS 10000u      /* one question, whole */
#define LIMIT_ACCESS_TOKEN_RETRY_MS 1000u       /* after a failure at first after this, doubling … */
#define LIMIT_ACCESS_TOKEN_RETRY_MAX_MS 60000u  /* … up to this */
#define LIMIT_ACCESS_TOKEN_REFUSED_MS 10000u    /* one that its provider refuses is asked for anew, not more often */
#define LIMIT_ACCESS_TOKEN_WAIT_MS 5000u        /* a request waits for the first token at most this long */

/* The ledger */
#define LIMIT_LEDGER_QUEUE_BYTES (16u * MIB) /* of entries in the ledger process; then it reads no more from workers */
#define LIMIT_LEDGER_BATCH 4096u           /* entries of one commit */
#define LIMIT_LEDGER_RETRY_MS 200u         /* what could not be written is tried again */
#define LIMIT_LEDGER_SLICE 256u            /* entries that are read back, or imported, at a time */
#define LIMIT_LEDGER_UPKEEP_MS 1000u       /* checkpoints, retention: looked at this often … */
#define LIMIT_LEDGER_UPKEEP_MORE_MS 5u     /* … and so soon again while there is more of it … */
#define LIMIT_LEDGER_UPKEEP_WAIT_MS 20u    /* … and so much later at most while entries wait for a commit */
#define LIMIT_LEDGER_CLAIM_MS 5000u        /* announced requests that no worker knows of are abandoned then */
#define LIMIT_LEDGER_STOP_MS 10000u        /* at the end, for a disk that takes nothing; then records are lost */
#define LIMIT_LEDGER_COPY_BYTES (256u * KIB) /* of its copy, written at a time */
#define LIMIT_LEDGER_TEXT_BYTES 256u       /* of one text in a column: what a client wrote is cut there */
#define LIMIT_LEDGER_SHARES LIMIT_TARGETS  /* targets that one exchange was paid at */
#define LIMIT_LEDGER_HOLDS 16u             /* of one exchange, that are told of in its record */
#define LIMIT_LEDGER_LABELS (2u * LIMIT_KEY_LIST) /* that one exchange is counted under: its key's, its data's */
#define LIMIT_LEDGER_LOG_PAGES 2048u       /* of 4 KiB in its write-ahead log, before they go into the file … */
#define LIMIT_LEDGER_LOG_PAGES_MAX 4096u   /* … and before a batch waits for that */
#define LIMIT_LEDGER_STEP_US 3000u         /* of deleting and giving back at a time: as much as takes so long … */
#define LIMIT_LEDGER_CUT 256u              /* … and no more entries, or texts, are deleted … */
#define LIMIT_LEDGER_GIVE_PAGES 256u       /* … nor pages given back */
#define LIMIT_LEDGER_SPARE_PAGES 1024u     /* free pages in its file that may stay so … */
#define LIMIT_LEDGER_SPARE_PART 8u         /* … and this part of all; more is given back */
#define LIMIT_LEDGER_DIFFERENCES 200u      /* between chain and tables that are told of; the others are counted */
#define LIMIT_LEDGER_CHARGES_S (40 * 86400) /* what a budget was spent is known so long after its period */
#define LIMIT_LEDGER_SUMS 4096u            /* rows of sums held in memory before they are written */
#define LIMIT_CHANGES_WAITING 256u         /* in the supervisor, while there is no ledger process; others are counted */
#define LIMIT_CHANGES_ASKERS 8u            /* that are named of one reload; others are counted */
#define LIMIT_LEDGER_PIECE 50000u          /* entries that one reading of it passes: meanwhile its log only grows */
#define LIMIT_LEDGER_PAGE 10000u           /* entries that a command shows at once; exports have no bound */
#define LIMIT_FILTER_TERMS 64u             /* conditions of one question … */
#define LIMIT_FILTER_VALUES 512u           /* … values in all of them … */
#define LIMIT_FILTER_BYTES 2048u           /* … bytes of each … */
#define LIMIT_FILTER_STARS 8u              /* … and stars in one value: matching takes as long again with each */

/* PostgreSQL */
#define LIMIT_RESOLVE_MS 10000u            /* the names of its hosts are looked up this long */
#define LIMIT_RESOLVE_KEEP_MS 5000u        /* they are not looked up again within this: each time is a process */
#define LIMIT_RESOLVE_ADDRESSES_EACH 8u    /* addresses of one name that are tried … */
#define LIMIT_RESOLVE_ADDRESSES 32u        /* … and of all names */
#define LIMIT_POSTGRES_HOSTS 16u           /* that postgres.url may name */
#define LIMIT_POSTGRES_CONNECT_MS 5000u    /* from the first packet to the end of the log-in, at one address … */
#define LIMIT_POSTGRES_CONNECT_MS_MAX 60000u /* … or what its connect_timeout says, up to this */
#define LIMIT_POSTGRES_STATEMENT_MS 30000u /* one statement, here and on the server */
#define LIMIT_POSTGRES_LOCK_MS 10000u      /* what others hold is waited for this long … */
#define LIMIT_POSTGRES_DROP_LOCK_MS 1000u  /* … by drops less: who asks meanwhile waits behind them */
#define LIMIT_POSTGRES_SCHEMA_MS 120000u   /* making the tables, or waiting for another gateway that makes them */
#define LIMIT_SHIP_ROWS 2000u              /* entries of the ledger in one statement … */
#define LIMIT_SHIP_BYTES (4u * MIB)        /* … or so many bytes of them … */
#define LIMIT_SHIP_DAYS 64u                /* … or of so many days: each is a partition of two tables, and some locks */
#define LIMIT_SHIP_POUR_ROWS 256u          /* entries from which on a batch is copied instead */
#define LIMIT_SHIP_SLICE_ROWS 64u          /* entries read and parsed in one turn of the loop */
#define LIMIT_SHIP_GATHER_MS 100u          /* what comes is gathered this long, unless somebody waits for it */
#define LIMIT_SHIP_RETRY_MS 50u            /* after a failure the next try comes after this, doubling … */
#define LIMIT_SHIP_RETRY_MS_MAX 5000u      /* … up to this, each with a random half less */
#define LIMIT_SHIP_REFUSED_MS 10000u       /* … and so long after a refusal that only people can mend */
#define LIMIT_SHIP_SLOW_MS 5000u           /* a statement without an answer for so long: PostgreSQL counts as failing */
#define LIMIT_SHIP_ANCHORS 100u            /* signed heads in one statement */
#define LIMIT_SHIP_KEEP_MS 3600000u        /* partitions are made ahead, and old ones dropped, this often */

/* Redis (net/redis.h) */
#define LIMIT_REDIS_HOSTS 16u              /* that a URL names, Redis's or Sentinels' */
#define LIMIT_REDIS_URL_BYTES (4u * KIB)
#define LIMIT_REDIS_SCRIPTS 16u
#define LIMIT_REDIS_QUESTIONS 10000u       /* without an answer, those beyond their deadlines too … */
#define LIMIT_REDIS_QUEUE_BYTES (4u * MIB) /* … and what is held of them */
#define LIMIT_REDIS_AHEAD_BYTES (256u * KIB) /* handed to a connection and not sent; what waits behind may expire */
#define LIMIT_REDIS_REPLY_BYTES (4u * MIB) /* of one reply */
#define LIMIT_REDIS_REPLY_ITEMS 65536u     /* of all its arrays */
#define LIMIT_REDIS_TURN_BYTES (256u * KIB) /* read in one turn of the loop */
#define LIMIT_REDIS_CONNECT_MS 2000u       /* from the first packet to the end of the greeting, at one address */
#define LIMIT_REDIS_RETRY_MS 50u           /* after a failure the next try comes after this, doubling … */
#define LIMIT_REDIS_RETRY_MS_MAX 2000u     /* … up to this, each with a random half less */
#define LIMIT_REDIS_MISSES 5u              /* deadlines missed in a row: it counts as slow … */
#define LIMIT_REDIS_PROBE_MS 1000u         /* … until a PING, sent this often, … */
#define LIMIT_REDIS_PROBE_ANSWER_MS 100u   /* … is answered in this time */
#define LIMIT_REDIS_SENTINEL_MS 5000u      /* Sentinels are asked this often whether it is still the master */
#define LIMIT_REDIS_SILENT_MS 3000u        /* something is owed and no byte comes: the connection is cut … */
#define LIMIT_REDIS_OWED_MS 6000u          /* … and so it is when bytes come, and not the answer that is owed */
#define LIMIT_REDIS_STOOD_MS 5000u         /* a connection that was lost sooner is a try that has failed */

/* Metrics */
#define LIMIT_SERIES 8192u                 /* distinct label sets per worker; beyond, labels fold into "other" */
#define LIMIT_SERIES_KEY_BYTES 232u
#define LIMIT_LABEL_BYTES 64u

#endif
