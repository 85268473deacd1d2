/*
 * Gemini's dialect: bodies and what is read of them, in both spellings of their names; edits; what streams say and how
 * they end; errors. Requests of real clients too (../shared/captured, or where MOONGATE_CAPTURED says).
 */
#include "../unit.h"

#include "captured.h"

#include "base/limits.h"
#include "wire/dialect.h"

static const struct dialect *const d = &dialect_gemini;

#include "speaking.h"

#define HEAD "\"model\":\"models/m\","
#define CONTENTS(list) "{" HEAD "\"contents\":[" list "]}"
#define USER(parts) CONTENTS("{\"role\":\"user\",\"parts\":[" parts "]}")
#define CONFIG(members) "{" HEAD "\"generationConfig\":{" members "}}"
#define TOOLS(list) "{" HEAD "\"tools\":[" list "]}"

static void a_length_of_nothing_is_none(void)
{
    struct fixture f;
    begin(&f, CONFIG("\"maxOutputTokens\":0"));
    EXPECT_INT(-1, f.r.max_tokens);
    finish(&f);
}

static void all_that_is_asked_for_is_found(void)
{
    struct fixture f;
    begin(&f, "{" HEAD "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"u\"}]},{\"role\":\"model\",\"parts\":[]}],"
              "\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]},\"serviceTier\":\"flex\","
              "\"generationConfig\":{\"maxOutputTokens\":1e2,\"temperature\":0.5,\"candidateCount\":3},"
              "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"},{\"name\":\"g\"}]}]}");
    EXPECT_SLICE(SLICE("m"), f.r.model);
    EXPECT(!f.r.is_stream && f.r.include_usage == CHAT_TRUE);
    EXPECT_INT(100, f.r.max_tokens);
    EXPECT(f.r.temperature == 0.5);
    EXPECT_INT(3, f.r.choices);
    EXPECT_INT(3, f.r.generated);
    EXPECT_INT(2, f.r.message_count);
    EXPECT_INT(2, f.r.tool_count);
    EXPECT_INT(CHAT_USES_TOOLS, f.r.uses);
    EXPECT_SLICE(SLICE("flex"), f.r.service_tier);
    EXPECT_SLICE(SLICE("u"), chat_last_user_text(&f.r, 100, &f.arena));
    finish(&f);
    begin(&f, "{" HEAD "\"generation_config\":{\"max_output_tokens\":7},\"system_instruction\":{\"parts\":{\"text\":\"s\"}}}");
    EXPECT_INT(7, f.r.max_tokens);
    EXPECT(f.r.system_node != JSON_NONE);
    finish(&f);
}

/* The path has the model. */
static bool parse_at(struct fixture *f, const char *body, enum chat_kind kind)
{
    arena_init(&f->arena);
    chat_init(&f->r);
    f->body = slice_str(body);
    return chat_parse_for(&f->r, d, f->body, kind, SLICE("m"), &f->arena, &f->why);
}

static void expect_refused_at(const char *body, enum chat_kind kind, const char *text)
{
    struct fixture f;
    EXPECT(!parse_at(&f, body, kind));
    EXPECT_STR(text, f.why.text);
    finish(&f);
}

static void what_the_path_says_counts(void)
{
    struct fixture f;
    EXPECT(parse_at(&f, "{\"contents\":[]}", CHAT_CHAT));
    EXPECT_SLICE(SLICE("m"), f.r.model);
    f.r.is_stream = true;
    EXPECT_SLICE(SLICE("/models/a%2Fb%3A1:streamGenerateContent"), d->path_to(&f.r, SLICE("a/b:1"), &f.arena));
    finish(&f);
    expect_refused_at("{\"model\":\"models/other\"}", CHAT_CHAT, "\"model\" must be the one that stands in the path");
    expect_refused_at("{\"model\":7}", CHAT_CHAT, "\"model\" must be a string");
    expect_refused_at("{\"requests\":[{\"model\":\"models/other\"}]}", CHAT_EMBEDDINGS,
                      "\"model\" must be the one that stands in the path");
}

static void expect_model(const char *body, enum chat_kind kind, const char *want, const char *path)
{
    struct fixture f;
    struct splice edits;
    struct buf out;
    buf_init(&out);
    EXPECT(parse_at(&f, body, kind));
    f.r.is_stream = false;
    splice_init(&edits, &f.r.tape, f.body, &f.arena);
    chat_edit_model(&f.r, &edits, SLICE("n"));
    splice_apply(&edits, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    EXPECT_SLICE(slice_str(path), d->path_to(&f.r, SLICE("n"), &f.arena));
    buf_clear(&out);
    finish(&f);
}

static void the_models_name_is_written_wherever_it_stands(void)
{
    expect_model("{\"contents\":[]}", CHAT_CHAT, "{\"contents\":[]}", "/models/n:generateContent");
    expect_model("{\"model\":\"m\"}", CHAT_COUNT, "{\"model\":\"models/n\"}", "/models/n:countTokens");
    expect_model("{\"content\":{\"parts\":[{\"text\":\"m\"}]}}", CHAT_EMBEDDINGS, "{\"content\":{\"parts\":[{\"text\":\"m\"}]}}",
                 "/models/n:embedContent");
    expect_model("{\"requests\":[{\"model\":\"models/m\",\"content\":{}},{\"model\":\"models/m\"}]}", CHAT_EMBEDDINGS,
                 "{\"requests\":[{\"model\":\"models/n\",\"content\":{}},{\"model\":\"models/n\"}]}",
                 "/models/n:batchEmbedContents");
}

static void what_it_makes_the_model_do_is_known(void)
{
    static const unsigned mcp = CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS;
    expect_uses(USER("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}"), CHAT_USES_IMAGES);
    expect_uses(USER("{\"inline_data\":{\"mime_type\":\"IMAGE/png\",\"data\":\"AAAA\"}}"), CHAT_USES_IMAGES);
    expect_uses(USER("{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"AAAA\"}}"), CHAT_USES_AUDIO);
    expect_uses(USER("{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"AAAA\"}}"), CHAT_USES_FILES);
    expect_uses(USER("{\"fileData\":{\"fileUri\":\"https://www.youtube.com/watch?v=x\"}}"), CHAT_USES_FILES);
    expect_uses(USER("{\"functionResponse\":{\"name\":\"f\",\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\"}}]}}"),
                CHAT_USES_IMAGES);
    expect_uses(TOOLS("{\"function_declarations\":{\"name\":\"f\"}}"), CHAT_USES_TOOLS);
    expect_uses(TOOLS("{\"googleSearch\":{}}"), CHAT_USES_HOSTED_TOOLS);
    expect_uses(TOOLS("{\"google_search\":{}},{\"codeExecution\":{}},{\"urlContext\":{}}"), CHAT_USES_HOSTED_TOOLS);
    expect_uses(TOOLS("{\"functionDeclarations\":null,\"ofNextYear\":{}}"), CHAT_USES_HOSTED_TOOLS);
    expect_uses(TOOLS("{\"mcpServers\":[{}]}"), mcp);
    expect_uses(TOOLS("{\"computerUse\":{}}"), CHAT_USES_TOOLS);
    expect_uses("{" HEAD "\"tools\":{\"codeExecution\":{}}}", CHAT_USES_HOSTED_TOOLS);
}

static void what_could_be_read_in_two_ways_is_refused(void)
{
    expect_refused("{" HEAD "\"SystemInstruction\":{}}", CHAT_CHAT, "\"systemInstruction\" must be written in these letters");
    expect_refused("{" HEAD "\"Contents\":[]}", CHAT_CHAT, "\"contents\" must be written in lower case");
    expect_refused("{" HEAD "\"systemInstruction\":{},\"system_instruction\":{}}", CHAT_CHAT,
                   "\"systemInstruction\" is given twice; give it once");
    expect_refused("{" HEAD "\"contents\":{}}", CHAT_CHAT, "\"contents\" must be an array");
    expect_refused("{" HEAD "\"tools\":7}", CHAT_CHAT, "\"tools\" must be an array");
    expect_refused("{" HEAD "\"generationConfig\":[]}", CHAT_CHAT, "\"generationConfig\" must be an object");
    expect_refused(CONFIG("\"maxOutputTokens\":1,\"max_output_tokens\":9"), CHAT_CHAT,
                   "\"generationConfig.maxOutputTokens\" is given twice; give it once");
    expect_refused(CONFIG("\"maxOutputTokens\":\"100\""), CHAT_CHAT,
                   "\"generationConfig.maxOutputTokens\" must be a whole number");
    expect_refused(CONFIG("\"candidateCount\":0"), CHAT_CHAT,
                   "\"generationConfig.candidateCount\" must be a whole number of 1 to 128");
    expect_refused(USER("{\"text\":\"a\",\"t\\u0065xt\":\"b\"}"), CHAT_CHAT,
                   "contents[0]: \"text\" is given twice; give it once");
    expect_refused(USER("{\"inlineData\":{\"mimeType\":\"image/png\",\"mime_type\":\"text/plain\"}}"), CHAT_CHAT,
                   "contents[0]: \"mimeType\" is given twice; give it once");
    expect_refused(CONTENTS("{\"parts\":[],\"parts\":[{\"text\":\"x\"}]}"), CHAT_CHAT,
                   "contents[0]: \"parts\" is given twice; give it once");
    expect_refused("{" HEAD "\"systemInstruction\":{\"parts\":[],\"parts\":[]}}", CHAT_CHAT,
                   "\"parts\" is given twice; give it once");
    expect_refused(TOOLS("{\"functionDeclarations\":[],\"function_declarations\":[]}"), CHAT_CHAT,
                   "a tool's \"functionDeclarations\" is given twice; give it once");
    expect_refused("{" HEAD "\"content\":{},\"requests\":[]}", CHAT_EMBEDDINGS,
                   "\"content\" must be left out beside \"requests\"");
}

static void what_lives_at_a_provider_is_refused(void)
{
    static const char file[] = "\"fileData\" must not refer to a file that the provider keeps: an address does not say "
                               "whose it is; send its bytes as \"inlineData\"";
    expect_refused("{" HEAD "\"cachedContent\":\"cachedContents/x\"}", CHAT_CHAT,
                   "\"cachedContent\" must be left out: an id does not say whose it is; what it holds is sent in "
                   "\"contents\" and \"systemInstruction\"");
    expect_refused("{" HEAD "\"generateContentRequest\":{}}", CHAT_COUNT,
                   "\"generateContentRequest\" must be left out: its \"contents\" are sent in the root, where policies can "
                   "read them");
    expect_refused(USER("{\"fileData\":{\"fileUri\":\"https://generativelanguage.googleapis.com/v1beta/files/a\"}}"), CHAT_CHAT,
                   file);
    expect_refused(USER("{\"file_data\":{\"file_uri\":\"gs://bucket/a\"}}"), CHAT_CHAT, file);
    expect_refused(USER("{\"fileData\":{\"fileUri\":\"https://generativelanguage.GoogleAPIs.com/v1beta/files/a\"}}"), CHAT_CHAT,
                   file);
    expect_refused(USER("{\"fileData\":{\"fileUri\":\"https://generativelanguage.google%61pis.com/v1beta/files/a\"}}"),
                   CHAT_CHAT, file);
    expect_uses(USER("{\"fileData\":{\"fileUri\":\"https://example.com/a%20b.pdf\"}}"), CHAT_USES_FILES);
    expect_refused(USER("{\"fileData\":{\"fileUri\":\"https:\\/\\/generativelanguage.google\\u0061pis.com/v1beta/files/a\"}}"),
                   CHAT_CHAT, file);
    expect_refused(USER("{\"functionResponse\":{\"parts\":[{\"fileData\":{\"fileUri\":\"files/a\"}}]}}"), CHAT_CHAT, file);
    expect_refused(TOOLS("{\"fileSearch\":{}}"), CHAT_CHAT,
                   "stores of documents must be left out of \"tools\": a name does not say whose it is; send what is to be "
                   "read in \"contents\"");
}

static void every_part_is_walked(void)
{
    expect_pieces("{" HEAD "\"systemInstruction\":{\"role\":\"user\",\"parts\":{\"text\":\"sys\"}},\"contents\":["
                  "{\"parts\":[{\"text\":\"t\"},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}},"
                  "{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"BBBB\"}},"
                  "{\"fileData\":{\"mimeType\":\"video/mp4\",\"fileUri\":\"https://v\"}}]},"
                  "{\"role\":\"model\",\"parts\":[{\"text\":\"why\",\"thought\":true,\"thoughtSignature\":\"S\"},"
                  "{\"functionCall\":{\"id\":\"c\",\"name\":\"f\",\"args\":{\"a\":1}}},"
                  "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"print\"}},"
                  "{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_OK\",\"output\":\"4\"}}]},"
                  "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"c\",\"name\":\"f\",\"response\":{\"r\":\"x\"}}},"
                  "{\"of_next_year\":{\"said\":\"new\"}}]}],"
                  "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parametersJsonSchema\":{}}]},{\"googleSearch\":{}}],"
                  "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}},"
                  "\"generationConfig\":{\"responseSchema\":{\"type\":\"OBJECT\"}}}",
                  "content \"sys\"\ncontent \"t\"\npicture \"AAAA\"\nfile \"BBBB\"\nelsewhere \"https://v\"\n"
                  "reasoning \"why\"\ncall \"f\"\njson {\"a\":1}\ncall \"print\"\ncontent result \"4\"\n"
                  "call result \"f\"\njson result {\"r\":\"x\"}\njson {\"said\":\"new\"}\ntool \"f\"\ntool -\nchoice \"f\"\n"
                  "schema {\"type\":\"OBJECT\"}\n");
    expect_pieces(CONTENTS("{\"parts\":{\"text\":\"one\"}}"), "content \"one\"\n");
}

/* Whoever writes what a tool is asked may call its members as he likes: nothing hides there. */
static void what_is_no_text_is_not_looked_at_and_nothing_hides(void)
{
    expect_texts(CONTENTS("{\"role\":\"R\",\"parts\":[{\"text\":\"a\",\"thoughtSignature\":\"S\",\"thought_signature\":\"S\"},"
                          "{\"inlineData\":{\"mimeType\":\"M\",\"data\":\"D\",\"displayName\":\"b\"}},"
                          "{\"functionCall\":{\"id\":\"I\",\"name\":\"c\",\"args\":{\"data\":\"d\",\"id\":[{\"mimeType\":\"e\"}]}}},"
                          "{\"functionResponse\":{\"id\":\"I\",\"name\":\"f\",\"response\":{\"role\":\"g\"}}},"
                          "{\"ofNextYear\":{\"data\":\"h\"}}]}"),
                 "a b c d e f g h ");
}

static void what_a_tool_gave_back_is_no_users_word(void)
{
    struct fixture f;
    begin(&f, CONTENTS("{\"role\":\"user\",\"parts\":[{\"text\":\"and\"},{\"text\":\"more\"}]},"
                       "{\"role\":\"model\",\"parts\":[{\"text\":\"no\"}]},"
                       "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{\"a\":\"b\"}}}]}"));
    EXPECT_SLICE(SLICE("and\nmore"), chat_last_user_text(&f.r, 100, &f.arena));
    finish(&f);
    EXPECT(parse(&f, SLICE("{" HEAD "\"content\":{\"parts\":[{\"text\":\"embedded\"}]}}"), CHAT_EMBEDDINGS));
    EXPECT_SLICE(SLICE("embedded"), chat_last_user_text(&f.r, 100, &f.arena));
    EXPECT_INT(8, chat_text_bytes(&f.r));
    struct chat_cursor cursor = CHAT_CURSOR;
    EXPECT(chat_next_outside(&f.r, &cursor) && !chat_next_outside(&f.r, &cursor));
    finish(&f);
    EXPECT(parse(&f, SLICE("{" HEAD "\"requests\":[{\"content\":{\"parts\":[{\"text\":\"one\"}]}},{\"model\":\"models/m\","
                           "\"content\":{\"parts\":[{\"text\":\"two\"}]},\"taskType\":\"T\"}]}"), CHAT_EMBEDDINGS));
    EXPECT_SLICE(SLICE("two"), chat_last_user_text(&f.r, 100, &f.arena));
    EXPECT_INT(6, chat_text_bytes(&f.r));
    EXPECT(tokens_of(&f) == 2);
    finish(&f);
}

static void titles_of_what_is_embedded_are_counted(void)
{
    struct fixture f;
    EXPECT(parse(&f, SLICE("{" HEAD "\"title\":\"four\",\"content\":{\"parts\":[{\"text\":\"three\"}]}}"), CHAT_EMBEDDINGS));
    EXPECT(tokens_of(&f) == 2);
    finish(&f);
    EXPECT(parse(&f, SLICE("{" HEAD "\"requests\":[{\"title\":\"four\",\"content\":{\"parts\":[{\"text\":\"three\"}]}}]}"),
                 CHAT_EMBEDDINGS));
    EXPECT(tokens_of(&f) == 2);
    finish(&f);
}

static void edits_are_written_as_this_api_calls_them(void)
{
    static const char plain[] = "{\"model\":\"m\"}";
    expect_edit(plain, "max_tokens", "5", "{\"model\":\"m\",\"generationConfig\":{\"maxOutputTokens\":5}}");
    expect_edit("{\"model\":\"m\",\"generationConfig\":null}", "max_tokens", "5",
                "{\"model\":\"m\",\"generationConfig\":{\"maxOutputTokens\":5}}");
    expect_edit(CONFIG("\"maxOutputTokens\":9"), "max_tokens", "5", CONFIG("\"maxOutputTokens\":5"));
    expect_edit(CONFIG("\"topP\":1"), "max_tokens", "5", CONFIG("\"topP\":1,\"maxOutputTokens\":5"));
    expect_edit(CONFIG("\"maxOutputTokens\":9"), "max_tokens", "", CONFIG(""));
    expect_edit("{" HEAD "\"generation_config\":{\"max_output_tokens\":9}}", "max_tokens", "5",
                "{" HEAD "\"generation_config\":{\"max_output_tokens\":5}}");
    expect_edit("{" HEAD "\"generation_config\":{}}", "top_p", "1", "{" HEAD "\"generation_config\":{\"topP\":1}}");
    expect_edit(plain, "stop", "\"x\"", "{\"model\":\"m\",\"generationConfig\":{\"stopSequences\":[\"x\"]}}");
    expect_edit(plain, "stop", "[\"x\"]", "{\"model\":\"m\",\"generationConfig\":{\"stopSequences\":[\"x\"]}}");
    expect_edit(plain, "seed", "1", "{\"model\":\"m\",\"generationConfig\":{\"seed\":1}}");
    expect_edit(plain, "user", "\"u\"", plain);
    expect_edit(plain, "store", "false", plain);
}

static void several_edits_make_one_object(void)
{
    struct fixture f;
    struct splice edits;
    struct buf out;
    const char *body = "{\"model\":\"m\"}";
    buf_init(&out);
    begin(&f, body);
    splice_init(&edits, &f.r.tape, slice_str(body), &f.arena);
    chat_edit_member(&f.r, &edits, CHAT_LIMIT_ANY, SLICE("max_tokens"), SLICE("5"));
    chat_edit_member(&f.r, &edits, CHAT_LIMIT_ANY, SLICE("temperature"), SLICE("0"));
    splice_apply(&edits, &out);
    EXPECT_SLICE(SLICE("{\"model\":\"m\",\"generationConfig\":{\"maxOutputTokens\":5,\"temperature\":0}}"), buf_slice(&out));
    buf_clear(&out);
    finish(&f);
}

/* ---- Answers. */

static void ends_of_streams(void)
{
    struct dialect_stream s;
    dialect_stream_init(&s, 2);
    EXPECT_INT(0, read_event(&s, "", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}],\"modelVersion\":\"m-1\"}"));
    EXPECT_STR("m-1", s.model);
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
    EXPECT_INT(SAID_FINISHED, read_event(&s, "", "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":"
                                                 "{\"promptTokenCount\":5,\"candidatesTokenCount\":7,\"thoughtsTokenCount\":2,"
                                                 "\"toolUsePromptTokenCount\":4,\"cachedContentTokenCount\":1,"
                                                 "\"totalTokenCount\":18}}"));
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s)); /* of two one */
    EXPECT_INT(SAID_FINISHED, read_event(&s, "", "{\"candidates\":[{\"index\":1,\"finishReason\":\"MAX_TOKENS\"}]}"));
    EXPECT_STR("MAX_TOKENS", s.finish_reason);
    EXPECT_INT(DIALECT_COMPLETE_UNMARKED, d->judge_end(&s));
    struct usage_parts parts;
    usage_normalise(&s.usage, &parts);
    EXPECT_INT(9, usage_parts_output(&parts)); /* thoughts stand beside */
    EXPECT_INT(9, usage_parts_input(&parts));
    EXPECT_INT(2, parts.count[USAGE_REASONING]);
    EXPECT_INT(1, parts.count[USAGE_CACHE_READ]);
    EXPECT(!parts.is_suspect);
    EXPECT_INT(SAID_DONE, read_event(&s, "", "]"));
    EXPECT_INT(DIALECT_COMPLETE, d->judge_end(&s));
    EXPECT_INT(SAID_UNREADABLE, read_event(&s, "", "[1]"));
    dialect_stream_init(&s, 2);
    EXPECT_INT(SAID_FINISHED, read_event(&s, "", "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"}}"));
    EXPECT_STR("PROHIBITED_CONTENT", s.finish_reason);
    EXPECT_INT(DIALECT_COMPLETE_UNMARKED, d->judge_end(&s));
    dialect_stream_init(&s, 1);
    EXPECT_INT(SAID_ERROR, read_event(&s, "", "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}"));
    EXPECT_INT(DIALECT_FAILED, d->judge_end(&s));
    dialect_stream_init(&s, 1);
    EXPECT_INT(0, read_event(&s, "", "{\"candidates\":[{\"index\":1e9,\"content\":null}]}"));
    EXPECT_INT(SAID_FINISHED, read_event(&s, "", "{\"candidates\":[{\"index\":4000000000,\"finishReason\":"
                                                 "1111111111111111111111111111111111111111}]}"));
    EXPECT_INT(DIALECT_CUT, d->judge_end(&s));
}

/* Kind, part and text of all that is said: "0 0 a\n". */
static void expect_says(const char *data, bool is_whole, const char *want)
{
    struct said said;
    struct buf out;
    struct arena arena;
    struct dialect_stream s;
    arena_init(&arena);
    buf_init(&out);
    dialect_stream_init(&s, 1);
    if (is_whole)
        d->read_body(&reader, &s, slice_str(data), &said);
    else
        d->read_event(&reader, &s, SLICE(""), slice_str(data), &said);
    for (uint32_t i = 0; i < said.text_count; i++)
        buf_printf(&out, "%d %u %.*s\n", said.texts[i].kind, said.texts[i].call,
                   SLICE_FMT(said_decode(&said, &said.texts[i], &arena)));
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    arena_clear(&arena);
}

#define PARTS(list) "{\"candidates\":[{\"content\":{\"parts\":[" list "]}}]}"

static void what_is_said_is_told(void)
{
    static const char all[] = PARTS("{\"text\":\"why\",\"thought\":true},{\"text\":\"a\",\"thoughtSignature\":\"S\"},"
                                    "{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}}},"
                                    "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"p\"}},"
                                    "{\"codeExecutionResult\":{\"output\":\"not the model's\"}}");
    expect_says(all, false, "2 0 why\n0 1 a\n3 2 f\n4 2 {\"x\":1}\n4 3 p\n");
    expect_says(all, true, "2 0 why\n0 1 a\n3 2 f\n4 2 {\"x\":1}\n4 3 p\n");
    expect_says("[" PARTS("{\"text\":\"a\"}") ",\n" PARTS("{\"text\":\"b\"}") "]", true, "0 0 a\n0 0 b\n");
    expect_says("[]", true, "");
    expect_says("[7]", true, "");
    expect_says("{\"candidates\":[null,{\"content\":{\"parts\":[null,{\"text\":\"e\"}]}}]}", false, "0 1 e\n");
}

static void errors_are_this_apis(void)
{
    struct buf out;
    buf_init(&out);
    expect_error((struct dialect_error){.message = SLICE("No"), .type = SLICE("t"), .code = SLICE("rate_limited"),
                                        .policy = SLICE("p"), .status = 429, .retry_after_s = 34},
                 "{\"error\":{\"code\":429,\"message\":\"No\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":["
                 "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"RATE_LIMITED\",\"domain\":\"moongate\","
                 "\"metadata\":{\"type\":\"t\",\"code\":\"rate_limited\",\"policy\":\"p\"}},"
                 "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"34s\"}]}}");
    d->write_event_error(&out, &(struct dialect_error){.message = SLICE("cut"), .type = SLICE("x-y"), .status = 502});
    EXPECT_SLICE(SLICE("data: {\"error\":{\"code\":502,\"message\":\"cut\",\"status\":\"UNAVAILABLE\",\"details\":["
                       "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"X_Y\",\"domain\":\"moongate\","
                       "\"metadata\":{\"type\":\"x-y\"}}]}}\n\n"),
                 buf_slice(&out));
    buf_reset(&out);
    d->write_models(&out, (struct slice[]){SLICE("a")}, 1, 0);
    EXPECT_SLICE(SLICE("{\"models\":[{\"name\":\"models/a\",\"displayName\":\"a\",\"supportedGenerationMethods\":["
                       "\"generateContent\",\"streamGenerateContent\",\"countTokens\",\"embedContent\","
                       "\"batchEmbedContents\"]}]}"),
                 buf_slice(&out));
    buf_clear(&out);
}

/* ---- Requests of real clients. */

static size_t captured;

static const char *const names[] = {"gemini-cli.gemini.1.json", "gemini-cli.gemini.2.json", "google-genai-js.gemini.1.json",
                                    "opencode.gemini.1.json", "opencode.gemini.2.json"};

static void check_captured(const char *name, json_t *body)
{
    struct fixture f;
    char *text = json_dumps(body, JSON_COMPACT);
    if (!parse_at(&f, text, CHAT_CHAT)) UNIT_FAIL("%s: %s", name, f.why.text);
    EXPECT_INT(json_array_size(json_object_get(body, "contents")), f.r.message_count);
    EXPECT(f.r.tool_count >= json_array_size(json_object_get(body, "tools")));
    EXPECT_INT(0, f.r.uses & ~(unsigned)CHAT_USES_TOOLS);
    json_t *limit = json_object_get(json_object_get(body, "generationConfig"), "maxOutputTokens");
    EXPECT_INT(limit ? json_integer_value(limit) : -1, f.r.max_tokens);
    EXPECT(tokens_of(&f) > 10 && chat_last_user_text(&f.r, 1000, &f.arena).len > 0);
    enum chat_kind kind;
    EXPECT(dialect_guess(&f.r.tape, &kind) == d && kind == CHAT_CHAT);
    finish(&f);
    free(text);
}

static void requests_of_real_clients_are_read(void)
{
    captured = captured_each(names, sizeof names / sizeof names[0], check_captured);
}

int main(void)
{
    RUN(all_that_is_asked_for_is_found);
    RUN(a_length_of_nothing_is_none);
    RUN(what_the_path_says_counts);
    RUN(the_models_name_is_written_wherever_it_stands);
    RUN(what_it_makes_the_model_do_is_known);
    RUN(what_could_be_read_in_two_ways_is_refused);
    RUN(what_lives_at_a_provider_is_refused);
    RUN(every_part_is_walked);
    RUN(what_is_no_text_is_not_looked_at_and_nothing_hides);
    RUN(what_a_tool_gave_back_is_no_users_word);
    RUN(titles_of_what_is_embedded_are_counted);
    RUN(edits_are_written_as_this_api_calls_them);
    RUN(several_edits_make_one_object);
    RUN(ends_of_streams);
    RUN(what_is_said_is_told);
    RUN(errors_are_this_apis);
    RUN(requests_of_real_clients_are_read);
    printf("gemini: %zu requests of real clients\n", captured);
    said_reader_clear(&reader);
    return unit_close("gemini");
}
