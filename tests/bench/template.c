/*
 * What filling a prompt costs beside the request it makes: a version of 2 KB with three variables, one of them 4 KB,
 * opened, its values read, its messages written.
 *
 *     build/bench/template 100000
 *     template 4096 0.310                          # bytes of the value, microseconds of CPU in the mean
 *     valgrind --tool=callgrind --toggle-collect=fill_once build/bench/template 20
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "wire/template/template.h"

#define VALUE_BYTES 4096

/* Apart, so that callgrind can count it alone. */
void fill_once(struct slice compiled, const struct json_tape *given, struct buf *out);

static void parse(struct json_tape *tape, const struct buf *text)
{
    struct fault why;
    json_init(tape);
    check(json_parse(tape, buf_slice(text), &why));
}

__attribute__((noinline)) void fill_once(struct slice compiled, const struct json_tape *given, struct buf *out)
{
    struct slice values[LIMIT_TEMPLATE_VARIABLES];
    struct template_refusal bad;
    struct template t;
    struct arena arena;
    arena_init(&arena);
    buf_reset(out);
    check(template_open(&t, compiled) && template_read(&t, given, 0, &arena, values, &bad));
    buf_reserve(out, template_bytes(&t, values));
    for (uint32_t m = 0; m < t.message_count; m++)
        template_write(&t, m, values, out);
    arena_clear(&arena);
}

static void write_source(struct buf *source, struct buf *given)
{
    buf_append(source, SLICE("{\"messages\":[{\"role\":\"system\",\"content\":\"For {{company}}, {{tone}}. "));
    for (int i = 0; i < 64; i++)
        buf_append(source, SLICE("Answer in three sentences, please. "));
    buf_append(source, SLICE("\"},{\"role\":\"user\",\"content\":\"{{question}}\"}],\"variables\":{\"company\":{"
                             "\"default\":\"Acme\"},\"tone\":{\"type\":\"choice\",\"values\":[\"plain\",\"warm\"]},"
                             "\"question\":{}}}"));
    buf_append(given, SLICE("{\"tone\":\"warm\",\"question\":\""));
    for (int i = 0; i < VALUE_BYTES; i++)
        buf_append_char(given, (char)('a' + i % 26));
    buf_append(given, SLICE("\"}"));
}

static double mean_us(uint64_t began_ns, unsigned count)
{
    return (double)(clock_cpu_ns() - began_ns) / 1000.0 / count;
}

int main(int argc, char **argv)
{
    struct buf source = {0}, given = {0}, compiled = {0}, out = {0};
    struct json_tape tape, values;
    struct template_error wrong;
    check(argc == 2);
    unsigned count = (unsigned)strtoul(argv[1], NULL, 10);
    write_source(&source, &given);
    parse(&tape, &source);
    parse(&values, &given);
    check(template_compile(&tape, 0, &compiled, &wrong));
    fill_once(buf_slice(&compiled), &values, &out);
    uint64_t began_ns = clock_cpu_ns();
    for (unsigned i = 0; i < count; i++)
        fill_once(buf_slice(&compiled), &values, &out);
    printf("template %d %.3f\n", VALUE_BYTES, mean_us(began_ns, count));
    json_clear(&tape);
    json_clear(&values);
    buf_clear(&source);
    buf_clear(&given);
    buf_clear(&compiled);
    buf_clear(&out);
    return 0;
}
