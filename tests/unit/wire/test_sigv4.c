/* Signatures against those that AWS publishes ("Signature Version 4 test suite") and those that botocore makes. */
#include "../unit.h"

#include "wire/sigv4.h"

#define WHEN 1440938160000000000ull /* 2015-08-30T12:36:00Z */
#define JSON {{"content-type", 12}, {"application/json", 16}}

static const struct sigv4_keys suites = {{"AKIDEXAMPLE", 11},
                                         {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40},
                                         {"us-east-1", 9},
                                         {"service", 7}};

static struct sigv4_keys bedrocks(const char *region)
{
    struct sigv4_keys keys = suites;
    keys.region = slice_str(region);
    keys.service = SLICE("bedrock");
    return keys;
}

/* want: the names that are signed, and the signature. The body comes whole and byte by byte. */
static void expect(const struct sigv4_keys *keys, struct sigv4_ask ask, const char *body, const char *names,
                   const char *signature)
{
    struct slice whole = slice_str(body), pieces[64];
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        struct arena arena;
        arena_init(&arena);
        for (size_t i = 0; i < whole.len; i++)
            pieces[i] = slice_of(whole.ptr + i, 1);
        ask.body = is_cut ? pieces : &whole;
        ask.body_count = is_cut ? whole.len : 1;
        ask.wall_ns = WHEN + 999999999u;
        struct sigv4_signed s = sigv4_sign(keys, &ask, &arena);
        EXPECT_SLICE(SLICE("20150830T123600Z"), s.date);
        EXPECT_SLICE(arena_printf(&arena,
                                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/%.*s/%.*s/aws4_request, "
                                  "SignedHeaders=%s, Signature=%s",
                                  SLICE_FMT(keys->region), SLICE_FMT(keys->service), names, signature),
                     s.authorization);
        arena_clear(&arena);
    }
}

#define GET(url_) (struct sigv4_ask){.method = SLICE("GET"), .url = SLICE("https://example.amazonaws.com" url_)}

static void the_suite_of_aws(void)
{
    const char *plain = "host;x-amz-date";
    const char *vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    expect(&suites, GET("/"), "", plain, vanilla);
    expect(&suites, GET(""), "", plain, vanilla);
    expect(&suites, GET("/example1/example2/../.."), "", plain, vanilla);
    expect(&suites, GET("/./"), "", plain, vanilla);
    expect(&suites, GET("//example//"), "", plain,
           "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84");
    expect(&suites, GET("/?Param2=value2&Param1=value1"), "", plain,
           "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    struct sigv4_ask post = GET("/");
    post.method = SLICE("POST");
    expect(&suites, post, "", plain, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

static void headers_of_the_suite(void)
{
    struct sigv4_header trimmed[] = {{SLICE("My-Header2"), SLICE(" \"a   b   c\"")},
                                     {SLICE("My-Header1"), SLICE(" value1")}};
    struct sigv4_header form[] = {{SLICE("Content-Type"), SLICE("application/x-www-form-urlencoded")}};
    struct sigv4_header twice[] = {{SLICE("My-Header1"), SLICE("value2")}, {SLICE("my-header1"), SLICE("value2")},
                                   {SLICE("My-Header1"), SLICE("value1")}};
    struct sigv4_ask ask = GET("/");
    ask.headers = trimmed;
    ask.header_count = 2;
    expect(&suites, ask, "", "host;my-header1;my-header2;x-amz-date",
           "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
    ask.headers = twice;
    ask.header_count = 3;
    expect(&suites, ask, "", "host;my-header1;x-amz-date",
           "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
    ask.method = SLICE("POST");
    ask.headers = form;
    ask.header_count = 1;
    expect(&suites, ask, "Param1=value1", "content-type;host;x-amz-date",
           "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

#define POST(url_, count_)                                                                                             \
    (struct sigv4_ask){.method = SLICE("POST"), .url = SLICE(url_), .headers = headers, .header_count = count_}
#define RUNTIME "https://bedrock-runtime.us-east-1.amazonaws.com"

/* botocore 1.44, SigV4Auth: of paths with an encoded colon or slash, session tokens, ports, queries. */
static void what_botocore_signs(void)
{
    struct sigv4_keys east = bedrocks("us-east-1"), west = bedrocks("eu-west-3");
    struct sigv4_header headers[] = {JSON, {SLICE("X-Amz-Security-Token"), SLICE("TOKEN//+==")}};
    const char *names = "content-type;host;x-amz-date";
    expect(&east, POST(RUNTIME "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke", 1), "{\"a\":1}", names,
           "902c7a940980132c6299997c9912555daecb2251ec116bd3ed672d6afcda12d6");
    expect(&west,
           POST("http://127.0.0.1:8080/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A1%3Ainference-profile%2Feu.anthropic."
                "claude-x/invoke-with-response-stream",
                2),
           "{\"a\":\"\xC3\xBC\"}", "content-type;host;x-amz-date;x-amz-security-token",
           "46a4167050b5ca472bb7abc87818f6f4312ddaa8a7ef8c8207927ac36cfa370f");
    expect(&east, POST("https://gateway.example:443/a//b/./c/../d/model/m/converse", 1), "{}", names,
           "86e88ee87a99f382a55595d6e8c3820e0b44c1523f96af04438eadb9240ef19b");
    headers[1] = (struct sigv4_header){SLICE("accept"), SLICE("a   b")};
    expect(&east, POST("http://gateway.example:80/x/?b=2&a=%20&a=1", 2), "{}", "accept;content-type;host;x-amz-date",
           "3e82373cd409ea30ea385492333b5a0f263a9d605b31f733ebfc3858e9835e58");
}

/* What the provider compares: the path is encoded over what the URL has. */
static void the_canonical_request(void)
{
    struct sigv4_header headers[] = {JSON};
    struct sigv4_ask ask = POST(RUNTIME "/model/a%3A0/invoke", 1);
    struct arena arena;
    arena_init(&arena);
    ask.wall_ns = WHEN;
    EXPECT_SLICE(SLICE("POST\n/model/a%253A0/invoke\n\ncontent-type:application/json\n"
               "host:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
               "content-type;host;x-amz-date\n"
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
               sigv4_canonical(&ask, &arena));
    arena_clear(&arena);
}

int main(void)
{
    RUN(the_suite_of_aws);
    RUN(headers_of_the_suite);
    RUN(what_botocore_signs);
    RUN(the_canonical_request);
    return unit_close("sigv4");
}
