/* What the checklist alone goes by: texts of people for people, and a class of data. */
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "server/config_reader.h"

/* What people write for people: one line. */
bool config_read_note(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a text, not %s", config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127)
            return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be one line");
    if (text.len > LIMIT_REASON_BYTES)
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "may have %u bytes", LIMIT_REASON_BYTES);
    *out = text;
    return true;
}

bool config_read_class(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    static const char *const classes[] = {"public", "internal", "confidential", "restricted"};
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < 4; i++)
        if (strcmp(text, classes[i]) == 0) return config_read_text(r, path, value, out);
    return config_bad(r, path, FINDING_BAD_VALUE, "the most sensitive class that it may see",
                      "must be public, internal, confidential or restricted");
}
