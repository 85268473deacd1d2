/* What the tests of moongate.lua share: a file in a folder of its own, read, and what is said of it. */
#ifndef MOONGATE_TESTS_CONFIG_KIT_H
#define MOONGATE_TESTS_CONFIG_KIT_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit.h"
#include "server/config.h"

static char dir[] = "/tmp/moongate-config-XXXXXX";
static char path[64];

static inline void write_file(const char *name, const char *text)
{
    char full[96];
    snprintf(full, sizeof full, "%s/%s", dir, name);
    FILE *f = fopen(full, "w");
    if (!f) exit(1);
    fputs(text, f);
    fclose(f);
}

static inline struct config *load(const char *text, struct report *report)
{
    write_file("moongate.lua", text);
    return config_load(path, report);
}

/* What a file that must be good gives. */
static inline struct config *load_good(const char *text)
{
    struct report *report = report_new();
    struct config *c = load(text, report);
    if (!c) {
        char *json = json_dumps(report_json(report), 0);
        UNIT_FAIL("%s\n%s", text, json);
        free(json);
    }
    report_free(report);
    return c;
}

static inline const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* The one error of a file that must be bad, at that place, with these words in message and help. */
static inline void expect_bad(const char *text, int line, int column, const char *message, const char *help)
{
    struct report *report = report_new();
    struct config *c = load(text, report);
    json_t *first = json_array_get(report_json(report), 0);
    EXPECT(c == NULL);
    if (json_integer_value(json_object_get(first, "line")) != line ||
        json_integer_value(json_object_get(first, "column")) != column || !strstr(text_of(first, "message"), message) ||
        !strstr(text_of(first, "help"), help) || report_errors(report) != 1) {
        char *json = json_dumps(report_json(report), JSON_INDENT(1));
        UNIT_FAIL("%s\nexpected %d:%d \"%s\" (%s), got %s", text, line, column, message, help, json);
        free(json);
    }
    config_free(c);
    report_free(report);
}

#endif
