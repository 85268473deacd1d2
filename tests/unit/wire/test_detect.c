/* Detectors: what is found and what is not, and the same hits however the text is cut. */
#include "detect_samples.h"

static void check_table(const char *const *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(table[i]);
}
#define CHECK_ALL(...)                                                                                                 \
    do {                                                                                                               \
        static const char *const table[] = {__VA_ARGS__};                                                              \
        check_table(table, sizeof table / sizeof table[0]);                                                            \
    } while (0)

static void addresses(void)
{
    CHECK_ALL("", "@", "a@", "@b.com", "a@b", "a@b.c", "{email|a@b.co}", "write to {email|john.doe@example.com}.",
              "{email|first.last+tag@mail.example.co.uk}, and", "<{email|x_y%z-1@sub-domain.example.org}>",
              "mailto:{email|a@example.com}?subject=x", "'{email|o'brien@example.ie}'",
              "...{email|a@example.com}...", "{email|müller@straße.de}", "{email|иван@почта.рф}",
              "请联系{email|john@example.com}谢谢", "“{email|john@example.com}”",
              "a@@{email|b@example.com}", "a@{email|b@example.com}", "{email|user@mastodon.social}@",
              "lodash@4.17.21", "@types/node@18.2.0", "root@192.168.1.10", "{email|a@b.com}.123",
              "{email|a@b.com}-foo", "a@b.c0m", "a@-b.com", "a@b-.com", "{email|a@b.com}_x",
              "{email|a@xn--e1afmkfd.xn--p1ai}", "a@b..com", "{email|555-123-4567@example.com}",
              "{email|4111111111111111@example.com}", "a@b.com1",
              "{email|jane@example.com},{email|joe@example.com};{email|jim@example.com}", "@handle and @other");
}

static void phones(void)
{
    CHECK_ALL("call {phone|+1 555 123 4567} now", "{phone|+14155552671}", "{phone|+49 (0)30 1234567}",
              "{phone|(415) 555-2671}", "{phone|415-555-2671}", "{phone|415.555.2671}", "{phone|415 555-2671}",
              "{phone|1-800-555-0199}", "{phone|1 (800) 555-0199}", "{phone|+44 20 7946 0958}, or",
              "({phone|+1 415 555 2671})", "({phone|415-555-2671})", "tel:{phone|+4915112345678}",
              "{phone|(11) 91234-5678}", "{phone|(55) 1234 5678}", "{phone|(415)5552671}", "{phone|090-1234-5678}",
              "{phone|001 415 555 2671}", "{phone|+49 (0) 30 / 1234-567}", "{phone|+86 138 0013 8000}",
              "{phone|089 - 12 34 56}", "{phone|0412 345 678}", "{phone|07700 900123}",
              "{phone|030 1234567}", "{phone|(030) 1234567}", "{phone|0171/1234567}", "{phone|06 12 34 56 78}.",
              "{phone|06.12.34.56.78}",
              "{phone|0049 30 1234567}", "{phone|555\u2011123\u20114567}", "{phone|+1\u00A0415\u00A0555\u00A02671}",
              "{phone|415 - 555 - 2671}", "in 2024 {phone|415-555-2671} was it", "{phone|555-123-4567} 12");
    CHECK_ALL("5551234567", "1712345678", "version 1.2.3.4", "v10.15.7", "192.168.100.200", "10.0.0.1:8080",
              "2024-01-02 10:30:00", "09-12-2024 10:30", "01.02.2024", "3.141592653589793", "+3.141592653589793",
              "+12.34567890", "415-555-2671-1", "x415-555-2671", "415-555-2671x", "#415-555-2671", "02139-4307",
              "100 200 3000", "200 300 4000", "1,234,567,890", "00 11 22 33 44 55",
              "550e8400-e29b-41d4-a716-446655440000", "978-3-16-148410-0", "0302.0020.0002",
              "(2019) 123-145", "(12) 345-6789", "f(12) 1234-5678", "(415) 55526711", "(12) 1234-5678-9",
              "0399 0308 0300", "044.6681.800", "12 415 555 2671", "415 555 2671 12",
              "order 123-456-7890", "0.0001234567", "007 12", "2024 2025 2026", "call 911", "3 + 4 - 5", "555-1234");
}

static void cards(void)
{
    CHECK_ALL("{credit_card|4111111111111111}", "{credit_card|4111 1111 1111 1111}",
              "{credit_card|4111-1111-1111-1111}", "card {credit_card|5500 0000 0000 0004}.",
              "{credit_card|3782 822463 10005}", "{credit_card|378282246310005}", "{credit_card|6011111111111117}",
              "{credit_card|3530111333300000}", "{credit_card|30569309025904}",
              "{credit_card|4111 1111 1111 1111} 12/27 123", "1 {credit_card|4111 1111 1111 1111}",
              "卡号{credit_card|4111111111111111}号", "({credit_card|4111 1111 1111 1111})",
              "{credit_card|4111\u00A01111\u00A01111\u00A01111}", "card-{credit_card|4111111111111111}",
              "{credit_card|4222222222222}", "{credit_card|2223003122003222}");
    CHECK_ALL("4111111111111112", "order 1234567890123456", "4111 1111 1111 1112", "41111111111111111111",
              "0.4111111111111111", "4111111111111111.5", "x4111111111111111", "4111111111111111a",
              "é4111111111111111", "4111-1111 1111-1111", "9111111111111111", "1111111111111117",
              "5000 5001 5002 5003 5004 5005", "9999 4111 1111 1111 1111", "5846 5847 5848 21375",
              "{credit_card|4111 1111 1111 1111} 1227",
              "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1");
}

static void social_security_numbers(void)
{
    CHECK_ALL("{us_ssn|123-45-6789}", "SSN: {us_ssn|123-45-6789}.", "{us_ssn|123 45 6789}",
              "{us_ssn|123\u201145\u20116789}", "ssn={us_ssn|536-90-4399}, dob", "{us_ssn|123-45-6789} 12");
    CHECK_ALL("000-45-6789", "666-45-6789", "900-45-6789", "123-00-6789", "123-45-0000", "123456789", "1123-45-6789",
              "123-45-67890", "123-45-6789-1", "1-123-45-6789", "12 123 45 6789", "123 45 6789 1", "100 20 2024",
              "123-45 6789", "a123-45-6789", "123-45-6789_");
}

static void ibans(void)
{
    CHECK_ALL("{iban|DE89370400440532013000}", "{iban|DE89 3704 0044 0532 0130 00} and",
              "{iban|GB29 NWBK 6016 1331 9268 19}.", "{iban|gb29nwbk60161331926819}", "{iban|NO9386011117947}",
              "IBAN:{iban|FR1420041010050500013M02606}", "{iban|MT84MALT011000012345MTLCAST001S}",
              "{iban|CH93-0076-2011-6238-5295-7}", "电{iban|NO9386011117947}电");
    CHECK_ALL("DE88370400440532013000", "DE8937040044053201300", "DE893704004405320130001",
              "XDE89370400440532013000", "ZZ89370400440532013000", "DE89 3704 0044 0532 0130 0",
              "in 10 years at 12 o'clock", "AT10 this is text");
}

static void keys(void)
{
    CHECK_ALL("key {api_key|sk-" "abcd1234efgh5678ijkl}", "{api_key|sk-" "proj-A1b2C3d4_E5f6-G7h8I9j0K1l2}.",
              "{api_key|sk-" "abcdefghijklmnopqrstuvwxyz}", "{api_key|AKIA" "IOSFODNN7EXAMPLE}",
              "{api_key|ghp_" "0123456789abcdefghijABCDEFGHIJ012345}", "{api_key|glpat-" "A1b2C3d4E5f6G7h8I9j0}",
              "{api_key|AIza" "SyA1234567890abcdefghijklmnopqrstuv}", "{api_key|xoxb-" "123456789012-abcdefABCDEF}",
              "{api_key|mgk_" "0123456789abcdefghijklmnop}", "OPENAI_API_KEY={api_key|sk-" "abcd1234efgh5678ijkl}",
              "\"{api_key|sk-" "abcd1234efgh5678ijkl}\"",
              "{api_key|SG." "abcdefghijklmnop123456.abcdefghijklmnopqrstuvwx}.");
    CHECK_ALL("sk-SK", "a task-oriented risk-free sk-fading-circle-container-something-long",
              "xsk-" "abcd1234efgh5678ijkl", "AKIA" "IOSFODNN7EXAMPL", "AKIA" "IOSFODNN7EXAMPLEX", "ghp_short",
              "sk-" "abc", "AIza" "Sy", "sk-", "AKI", "gh");
}

#define BASE64 "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nVJTUt9Us8cKj"
#define BEGIN "-----BEGIN "
static void private_keys(void)
{
    CHECK_ALL("{api_key|" BEGIN "PRIVATE KEY-----\n" BASE64 "==}\n-----END PRIVATE KEY-----\nok",
              "key: {api_key|" BEGIN "RSA PRIVATE KEY-----\r\n" BASE64 "}\r\n-----END",
              "\"{api_key|" BEGIN "OPENSSH PRIVATE KEY-----\\n" BASE64 "\\n}-----END OPENSSH PRIVATE KEY-----\"",
              "{api_key|" BEGIN "ENCRYPTED PRIVATE KEY-----\n" BASE64 "}", BEGIN "CERTIFICATE-----\n" BASE64,
              "it says " BEGIN "PRIVATE KEY----- first", BEGIN "PUBLIC KEY-----\n" BASE64,
              BEGIN "private KEY-----\n" BASE64,
              "-" BEGIN "PRIVATE KEY-----\n" BASE64, "BEGIN", "-----BEG");
}

/* Each format: found with as many bytes as it needs, not with one less. */
static void every_key_format(void)
{
    for (size_t i = 0; i < detect_key_format_count; i++) {
        const struct key_format *format = &detect_key_formats[i];
        struct buf text, want;
        buf_init(&text);
        buf_init(&want);
        buf_append(&text, slice_str(format->prefix));
        for (unsigned n = 0; n + 1 < format->min; n++)
            buf_append_char(&text, "4XQ7"[n % 4]);
        check_text(all, buf_slice(&text), SLICE(""));
        buf_append_char(&text, 'A');
        buf_printf(&want, "api_key 0 %zu\n", buf_len(&text));
        check_text(all, buf_slice(&text), buf_slice(&want));
        buf_clear(&text);
        buf_clear(&want);
    }
}

static void tokens(void)
{
    CHECK_ALL("Bearer {jwt|" HEADER "." PAYLOAD ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U}.",
              "{jwt|" HEADER "." PAYLOAD ".x_-9} ok", "{jwt|" HEADER "." PAYLOAD "}. unsigned",
              "{jwt|" HEADER "..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFS.XFBoMYUZod}",
              "a.{jwt|" HEADER "." PAYLOAD ".abc}");
    CHECK_ALL(HEADER, HEADER "." PAYLOAD, HEADER "." PAYLOAD " ", "eyJ.eyJ.x", "eyJ", "x" HEADER "." PAYLOAD ".abc",
              "-" HEADER "." PAYLOAD ".abc");
}

static void author_masks(void)
{
    CHECK_ALL("{employee_id|EMP-123456}", "({employee_id|emp-123456}), {employee_id|EMP-000000}", "EMP-1234567",
              "XEMP-123456", "EMP-12345", "EMP-12345x", "{employee_id|EMP-123456}-7",
              "员工{employee_id|EMP-123456}号", "EMP-123456é", "the {ticket|case #AB 12/34} is", "case #AB 12/3",
              "case #AB 12/345", "case #A", "case #", "xcase #AB 12/34", "{project|::abc} {project|::XYZ}", "::ab",
              "::abcd", "a:: b", "{project|::abc}::", ":{project|::abc}", "{codename|Blue Heron} flies",
              "{codename|bLUE hERON}", "Blue Herons", "Blue  Heron", "Blue Hero", "{plate|AB-1234-C}", "AB-1234-CD",
              "a {plate|xy-0000-z}!", "AB-1234", "{employee_id|EMP-123456}{project|::abc}");
}

static void mixtures(void)
{
    CHECK_ALL("John ({email|john@example.com}, {phone|+1 415 555 2671}) paid with {credit_card|4111 1111 1111 1111}, "
              "SSN {us_ssn|123-45-6789}; IBAN {iban|DE89 3704 0044 0532 0130 00}, id {employee_id|EMP-004211}, "
              "key {api_key|sk-" "abcd1234efgh5678ijkl}.",
              "{\"a\":\"{email|a@example.com}\",\"n\":12345,\"p\":[1,2,3]}",
              "{email|a@example.com}\n{email|b@example.com}\n",
              "On 2024-05-06 at 10:30 we sold 1,234 items for $5,678.90 (see v1.2.3, page 45-47).");
}

int main(void)
{
    struct fault why;
    all = detect_new(DETECT_ALL, masks, MASKS, &why);
    RUN(addresses);
    RUN(phones);
    RUN(cards);
    RUN(social_security_numbers);
    RUN(ibans);
    RUN(keys);
    RUN(private_keys);
    RUN(every_key_format);
    RUN(tokens);
    RUN(author_masks);
    RUN(mixtures);
    detect_free(all);
    return unit_close("detect");
}
