/*
 * A section of prompts: what who builds it and who reads it share; nobody else includes it.
 */
#ifndef MOONGATE_STORE_PROMPTS_INNER_H
#define MOONGATE_STORE_PROMPTS_INNER_H

#include "store/prompts.h"

enum {
    PROMPTS_NAMES,
    PROMPTS_VERSIONS,
    PROMPTS_LABELS,
    PROMPTS_ARMS,
    PROMPTS_ALIASES,
    PROMPTS_WORDS, /* of versions' bytes, which are 8-aligned */
    PROMPTS_BY_NAME,
    PROMPTS_BY_ALIAS,
    PROMPTS_TABLES
};

struct name_row {
    struct section_text name;
    struct section_list versions, labels;
};

struct version_row {
    uint32_t major, minor, patch, status;
    struct section_list words;
};

struct label_row {
    struct section_text label;
    struct section_list arms;
};

struct arm_row {
    uint32_t version; /* its row */
    uint32_t share;
};

struct alias_row {
    struct section_text alias;
    uint32_t name; /* its row */
};

extern const struct section_shape prompts_shape;

#endif
