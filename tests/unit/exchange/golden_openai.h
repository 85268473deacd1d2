/*
 * Golden usage objects of the chat, completions, embeddings and Responses shapes,
 * with the parts and the nano-dollars that they come to.
 *
 *     static const struct golden golden_openai[] … each row as golden.h says.
 *
 * Parts were worked out by hand from the vendors' documents, costs from them and the rates in test_golden.c: the
 * comment is the sum in nano-dollars.
 */
#ifndef MOONGATE_TESTS_GOLDEN_OPENAI_H
#define MOONGATE_TESTS_GOLDEN_OPENAI_H

#include "golden.h"

static const struct golden golden_openai[] = {
    /* --- chat, completions, embeddings --- */
    {.name = "in and out", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':50,'total_tokens':150}}"},
     .parts = {[IN] = 100, [OUT] = 50, [REQ] = 1},
     .price = PLAIN, .nano = 750000}, /* 100 * 2500 + 50 * 10000 */
    {.name = "a cached part is inside, and not paid twice", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':50,'total_tokens':150,"
                 "'prompt_tokens_details':{'cached_tokens':60}}}"},
     .parts = {[IN] = 40, [CACHED] = 60, [OUT] = 50, [REQ] = 1},
     .price = PLAIN, .nano = 675000}, /* 40 * 2500 + 60 * 1250 + 50 * 10000 */
    {.name = "cached and image overlap", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':0,'total_tokens':100,"
                 "'prompt_tokens_details':{'cached_tokens':90,'image_tokens':80}}}"},
     .parts = {[CACHED] = 90, [IMAGE_IN] = 10, [REQ] = 1},
     .price = PLAIN, .nano = 172500}, /* 90 * 1250 + 10 * 6000 */
    {.name = "the cache holds text first", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':1,'total_tokens':101,"
                 "'prompt_tokens_details':{'cached_tokens':20,'text_tokens':20,'image_tokens':80}}}"},
     .parts = {[CACHED] = 20, [IMAGE_IN] = 80, [OUT] = 1, [REQ] = 1},
     .price = PLAIN, .nano = 515000}, /* 20 * 1250 + 80 * 6000 + 1 * 10000 */
    {.name = "reasoning is inside the output", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':977,'total_tokens':1077,"
                 "'completion_tokens_details':{'reasoning_tokens':768}}}"},
     .parts = {[IN] = 100, [OUT] = 209, [REASON] = 768, [REQ] = 1},
     .price = PLAIN, .nano = 11556000}, /* 100 * 2500 + 209 * 10000 + 768 * 12000 */
    {.name = "reasoning is all of the output", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':11,'completion_tokens':64,'total_tokens':75,"
                 "'completion_tokens_details':{'reasoning_tokens':64}}}"},
     .parts = {[IN] = 11, [REASON] = 64, [REQ] = 1},
     .price = PLAIN, .nano = 795500}, /* 11 * 2500 + 64 * 12000 */
    {.name = "cache written and read", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':2572,'completion_tokens':100,'total_tokens':2672,"
                 "'prompt_tokens_details':{'cached_tokens':2240,'cache_write_tokens':329},"
                 "'completion_tokens_details':{'reasoning_tokens':0}}}"},
     .parts = {[IN] = 3, [CACHED] = 2240, [WRITE] = 329, [OUT] = 100, [REQ] = 1},
     .price = PLAIN, .nano = 4835625}, /* 3 * 2500 + 2240 * 1250 + 329 * 3125 + 100 * 10000 */
    {.name = "sound in and out", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':100,'completion_tokens':80,'total_tokens':180,"
                 "'prompt_tokens_details':{'cached_tokens':0,'audio_tokens':60},"
                 "'completion_tokens_details':{'reasoning_tokens':10,'audio_tokens':50}}}"},
     .parts = {[IN] = 40, [AUDIO_IN] = 60, [OUT] = 20, [REASON] = 10, [AUDIO_OUT] = 50, [REQ] = 1},
     .price = PLAIN, .nano = 6820000}, /* 40 * 2500 + 60 * 40000 + 20 * 10000 + 10 * 12000 + 50 * 80000 */
    {.name = "an image in", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':262,'completion_tokens':5,'total_tokens':267,"
                 "'prompt_tokens_details':{'text_tokens':4,'image_tokens':258}}}"},
     .parts = {[IN] = 4, [IMAGE_IN] = 258, [OUT] = 5, [REQ] = 1},
     .price = PLAIN, .nano = 1608000}, /* 4 * 2500 + 258 * 6000 + 5 * 10000 */
    {.name = "video counts with images", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':300,'completion_tokens':5,'total_tokens':305,"
                 "'prompt_tokens_details':{'cached_tokens':0,'video_tokens':280,'image_tokens':10}}}"},
     .parts = {[IN] = 10, [IMAGE_IN] = 290, [OUT] = 5, [REQ] = 1},
     .price = PLAIN, .nano = 1815000}, /* 10 * 2500 + 290 * 6000 + 5 * 10000 */
    {.name = "an image out", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':7,'completion_tokens':1300,'total_tokens':1307,"
                 "'completion_tokens_details':{'reasoning_tokens':6,'image_tokens':1290}}}"},
     .parts = {[IN] = 7, [OUT] = 4, [REASON] = 6, [IMAGE_OUT] = 1290, [REQ] = 1},
     .price = PLAIN, .nano = 38829500}, /* 7 * 2500 + 4 * 10000 + 6 * 12000 + 1290 * 30000 */
    {.name = "predictions are inside", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':10,'completion_tokens':30,'total_tokens':40,"
                 "'completion_tokens_details':{'accepted_prediction_tokens':7,'rejected_prediction_tokens':9}}}"},
     .parts = {[IN] = 10, [OUT] = 30, [REQ] = 1},
     .price = PLAIN, .nano = 325000}, /* 10 * 2500 + 30 * 10000 */
    {.name = "xAI: reasoning beside", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':291,'completion_tokens':26,'total_tokens':506,"
                 "'prompt_tokens_details':{'text_tokens':291,'audio_tokens':0,'image_tokens':0,'cached_tokens':244},"
                 "'completion_tokens_details':{'reasoning_tokens':189}}}"},
     .parts = {[IN] = 47, [CACHED] = 244, [OUT] = 26, [REASON] = 189, [REQ] = 1},
     .price = PLAIN, .nano = 2950500}, /* 47 * 2500 + 244 * 1250 + 26 * 10000 + 189 * 12000 */
    {.name = "xAI: reasoning and cache are equal counts", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':291,'completion_tokens':26,'total_tokens':506,"
                 "'prompt_tokens_details':{'cached_tokens':189},"
                 "'completion_tokens_details':{'reasoning_tokens':189}}}"},
     .parts = {[IN] = 102, [CACHED] = 189, [OUT] = 26, [REASON] = 189, [REQ] = 1},
     .price = PLAIN, .nano = 3019250}, /* 102 * 2500 + 189 * 1250 + 26 * 10000 + 189 * 12000 */
    {.name = "Gemini's OpenAI mode: reasoning unnamed", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'completion_tokens':12,'prompt_tokens':35,'total_tokens':109}}"},
     .parts = {[IN] = 35, [OUT] = 74, [REQ] = 1},
     .price = PLAIN, .nano = 827500}, /* 35 * 2500 + 74 * 10000 */
    {.name = "DeepSeek: hit and miss", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':339,'completion_tokens':92,'total_tokens':431,"
                 "'completion_tokens_details':{'reasoning_tokens':48},'prompt_cache_hit_tokens':320,"
                 "'prompt_cache_miss_tokens':19}}"},
     .parts = {[IN] = 19, [CACHED] = 320, [OUT] = 44, [REASON] = 48, [REQ] = 1},
     .price = PLAIN, .nano = 1463500}, /* 19 * 2500 + 320 * 1250 + 44 * 10000 + 48 * 12000 */
    {.name = "Moonshot: cached_tokens at the top", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':30,'completion_tokens':12,'total_tokens':42,'cached_tokens':20}}"},
     .parts = {[IN] = 10, [CACHED] = 20, [OUT] = 12, [REQ] = 1},
     .price = PLAIN, .nano = 170000}, /* 10 * 2500 + 20 * 1250 + 12 * 10000 */
    {.name = "Groq: in x_groq", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'x_groq':{'id':'req_1','usage':{'queue_time':0.005,'prompt_tokens':343,'completion_tokens':180,"
                 "'total_tokens':523,'completion_tokens_details':{'reasoning_tokens':153}}}}"},
     .parts = {[IN] = 343, [OUT] = 27, [REASON] = 153, [REQ] = 1},
     .price = PLAIN, .nano = 2963500}, /* 343 * 2500 + 27 * 10000 + 153 * 12000 */
    {.name = "Groq: in both places, counted once", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':210,'completion_tokens':15,'total_tokens':225},"
                 "'x_groq':{'usage':{'prompt_tokens':210,'completion_tokens':14,'total_tokens':224}}}"},
     .parts = {[IN] = 210, [OUT] = 15, [REQ] = 1},
     .price = PLAIN, .nano = 675000}, /* 210 * 2500 + 15 * 10000 */
    {.name = "Mistral: in the last choice chunk", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'choices':[{'index':0,'delta':{'content':''},'finish_reason':'stop'}],"
                 "'usage':{'prompt_tokens':124,'total_tokens':146,'completion_tokens':22}}"},
     .parts = {[IN] = 124, [OUT] = 22, [REQ] = 1},
     .price = PLAIN, .nano = 530000}, /* 124 * 2500 + 22 * 10000 */
    {.name = "null until the last chunk", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'choices':[{'index':0,'delta':{'content':'a'}}],'usage':null}",
                 "{'choices':[],'usage':{'prompt_tokens':9,'completion_tokens':4,'total_tokens':13}}"},
     .parts = {[IN] = 9, [OUT] = 4, [REQ] = 1},
     .price = PLAIN, .nano = 62500}, /* 9 * 2500 + 4 * 10000 */
    {.name = "growing in each chunk, never added up", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':11,'completion_tokens':1,'total_tokens':12}}",
                 "{'usage':{'prompt_tokens':11,'completion_tokens':200,'total_tokens':211}}",
                 "{'usage':{'prompt_tokens':11,'completion_tokens':392,'total_tokens':403}}"},
     .parts = {[IN] = 11, [OUT] = 392, [REQ] = 1},
     .price = PLAIN, .nano = 3947500}, /* 11 * 2500 + 392 * 10000 */
    {.name = "before the text", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':9,'completion_tokens':4,'total_tokens':13}}",
                 "{'choices':[{'index':0,'delta':{'content':'late'}}]}"},
     .parts = {[IN] = 9, [OUT] = 4, [REQ] = 1},
     .price = PLAIN, .nano = 62500}, /* 9 * 2500 + 4 * 10000 */
    {.name = "details are null", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'completion_tokens':27,'completion_tokens_details':null,'prompt_tokens':269,"
                 "'prompt_tokens_details':null,'total_tokens':296}}"},
     .parts = {[IN] = 269, [OUT] = 27, [REQ] = 1},
     .price = PLAIN, .nano = 942500}, /* 269 * 2500 + 27 * 10000 */
    {.name = "an embedding", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':8,'total_tokens':8}}"},
     .parts = {[IN] = 8, [REQ] = 1},
     .price = PLAIN, .nano = 20000}, /* 8 * 2500 */
    {.name = "an embedding of Mistral", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_audio_seconds':null,'prompt_tokens':10,'total_tokens':10,'completion_tokens':0,"
                 "'request_count':null,'prompt_token_details':null}}"},
     .parts = {[IN] = 10, [REQ] = 1},
     .price = PLAIN, .nano = 25000}, /* 10 * 2500 */
    {.name = "nothing was used", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':0,'completion_tokens':0,'total_tokens':0}}"},
     .parts = {[REQ] = 1},
     .price = PLAIN, .nano = 0}, /* 0 */
    {.name = "no report at all", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'choices':[]}"},
     .parts = {0},
     .price = PLAIN, .nano = 0}, /* 0 */
    {.name = "a proxy that counts the cache beside", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':18,'completion_tokens':15,'total_tokens':8864,"
                 "'prompt_tokens_details':{'cached_tokens':8831}}}"},
     .parts = {[IN] = 18, [CACHED] = 8831, [OUT] = 15, [REQ] = 1},
     .price = PLAIN, .nano = 11233750}, /* 18 * 2500 + 8831 * 1250 + 15 * 10000 */
    {.name = "cache and reasoning beside", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'prompt_tokens':18,'completion_tokens':15,'total_tokens':8869,"
                 "'prompt_tokens_details':{'cached_tokens':8831},'completion_tokens_details':{'reasoning_tokens':5}}}"},
     .parts = {[IN] = 18, [CACHED] = 8831, [OUT] = 15, [REASON] = 5, [REQ] = 1},
     .price = PLAIN, .nano = 11293750}, /* 18 * 2500 + 8831 * 1250 + 15 * 10000 + 5 * 12000 */
    {.name = "transcription: detail in the singular", .shape = USAGE_SHAPE_OPENAI,
     .reports = {"{'usage':{'type':'tokens','input_tokens':14,'input_token_details':{'text_tokens':4,"
                 "'audio_tokens':10},'output_tokens':45,'total_tokens':59}}"},
     .parts = {[IN] = 4, [AUDIO_IN] = 10, [OUT] = 45, [REQ] = 1},
     .price = PLAIN, .nano = 860000}, /* 4 * 2500 + 10 * 40000 + 45 * 10000 */
    /* --- Responses --- */
    {.name = "a whole answer", .shape = USAGE_SHAPE_RESPONSES,
     .reports = {"{'usage':{'input_tokens':3748,'input_tokens_details':{'cached_tokens':2304},'output_tokens':543,"
                 "'output_tokens_details':{'reasoning_tokens':448},'total_tokens':4291}}"},
     .parts = {[IN] = 1444, [CACHED] = 2304, [OUT] = 95, [REASON] = 448, [REQ] = 1},
     .price = PLAIN, .nano = 12816000}, /* 1444 * 2500 + 2304 * 1250 + 95 * 10000 + 448 * 12000 */
    {.name = "in response.completed", .shape = USAGE_SHAPE_RESPONSES,
     .reports = {"{'type':'response.created','response':{'status':'in_progress','usage':null}}",
                 "{'type':'response.completed','response':{'usage':{'input_tokens':640,"
                 "'input_tokens_details':{'cached_tokens':0},'output_tokens':46,"
                 "'output_tokens_details':{'reasoning_tokens':20},'total_tokens':686}}}"},
     .parts = {[IN] = 640, [OUT] = 26, [REASON] = 20, [REQ] = 1},
     .price = PLAIN, .nano = 2100000}, /* 640 * 2500 + 26 * 10000 + 20 * 12000 */
    {.name = "written into the cache", .shape = USAGE_SHAPE_RESPONSES,
     .reports = {"{'response':{'usage':{'input_tokens':158,'input_tokens_details':{'cache_write_tokens':43,"
                 "'cached_tokens':0},'output_tokens':32,'output_tokens_details':{'reasoning_tokens':10},"
                 "'total_tokens':190}}}"},
     .parts = {[IN] = 115, [WRITE] = 43, [OUT] = 22, [REASON] = 10, [REQ] = 1},
     .price = PLAIN, .nano = 761875}, /* 115 * 2500 + 43 * 3125 + 22 * 10000 + 10 * 12000 */
    {.name = "a picture made by a tool, by the piece", .shape = USAGE_SHAPE_RESPONSES,
     .reports = {"{'response':{'usage':{'input_tokens':100,'input_tokens_details':{'cached_tokens':20},"
                 "'output_tokens':50,'output_tokens_details':{'reasoning_tokens':30},'total_tokens':150,"
                 "'server_side_tool_usage_details':{'web_search_calls':0,'image_generation_calls':1}}}}"},
     .parts = {[IN] = 80, [CACHED] = 20, [OUT] = 20, [REASON] = 30, [IMAGES] = 1, [REQ] = 1},
     .price = PLAIN, .nano = 40785000}, /* 80 * 2500 + 20 * 1250 + 20 * 10000 + 30 * 12000 + 1 * 40000000 */
};

#endif
