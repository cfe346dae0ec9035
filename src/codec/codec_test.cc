#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codec/json.h"
#include "codec/msgpack.h"
#include "codec/msgpack_memo.h"
#include "codec/reflect.h"

namespace drover {
namespace {

struct Inner {
  std::string Name;
  std::optional<int64_t> Count;
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Sample {
  std::string ID;
  Uuid Alloc;
  SharedString Shared;
  bool Flag = false;
  int32_t Small = 0;
  uint64_t Big = 0;
  double Ratio = 0;
  Duration Wait{};
  Time When;
  Bytes Payload;
  Value Any;
  List<Inner> Inners;
  Map<std::string> Meta;
  Box<Inner> Maybe;
  Ref<Inner> Common;
  std::string Hidden;
  friend bool operator==(const Sample& a, const Sample& b) {
    return to_msgpack(a) == to_msgpack(b);
  }
};

// A struct with a part on the heap that the wire sees as its own fields.
struct Sparse {
  std::string ID;
  Box<Inner> more;
  friend bool operator==(const Sparse&, const Sparse&) = default;
};

struct RequestShape {
  std::optional<std::string> ID;
  std::optional<bool> Flag;
  List<Inner> Inners;
  std::optional<Duration> Wait;
  std::string OnlyHere;
};

}  // namespace
DROVER_TYPE(Inner)
DROVER_TYPE(Sample)
DROVER_TYPE(RequestShape)
DROVER_TYPE(Sparse)
}  // namespace drover

DROVER_DESCRIBE(drover::Sparse, "Sparse", DROVER_FIELD(ID), DROVER_FLAT_FIELD(more, Name),
                DROVER_FLAT_FIELD(more, Count))
DROVER_DESCRIBE(drover::Inner, "api.Inner", DROVER_FIELD(Name), DROVER_FIELD(Count).wire("int64"))
DROVER_DESCRIBE(drover::Sample, "api.Sample", DROVER_FIELD(ID), DROVER_FIELD(Alloc), DROVER_FIELD(Shared),
                DROVER_FIELD(Flag), DROVER_FIELD(Small), DROVER_FIELD(Big), DROVER_FIELD(Ratio), DROVER_FIELD(Wait),
                DROVER_FIELD(When), DROVER_FIELD(Payload), DROVER_FIELD(Any), DROVER_FIELD(Inners), DROVER_FIELD(Meta),
                DROVER_FIELD(Maybe), DROVER_FIELD(Common), DROVER_FIELD(Hidden).json("hidden").with(drover::kOmitEmpty))
DROVER_DESCRIBE(drover::RequestShape, "api.RequestShape", DROVER_FIELD(ID), DROVER_FIELD(Flag), DROVER_FIELD(Inners),
                DROVER_FIELD(Wait), DROVER_FIELD(OnlyHere))

namespace drover {
namespace {

Sample full() {
  Sample s;
  s.ID = "a<b>\"\n\xe2\x80\xa8";
  s.Alloc = *Uuid::parse("0123456789ab-cdef-0123-4567-89abcdef").or_else([] { return Uuid::parse("01234567-89ab-cdef-0123-456789abcdef"); });
  s.Shared = "text";
  s.Flag = true;
  s.Small = -5;
  s.Big = UINT64_MAX;
  s.Ratio = 1;
  s.Wait = Duration(-3);
  s.When = Time::from_unix_nanos(1'700'000'000'123'000'000);
  s.Payload.data = std::string("\0\1", 2);
  s.Any = Value(Value::Object{{"k", Value(Value::Array{Value(1), Value("x"), Value()})}});
  s.Inners = {{"one", 1}, {"none", std::nullopt}};
  s.Meta = {{"b", "2"}, {"a", "1"}};
  s.Maybe = Inner{"maybe", 2};
  s.Common = std::make_shared<Inner>(Inner{"common", 3});
  return s;
}

TEST(JsonEncode, WritesTheReferenceForms) {
  EXPECT_EQ(to_json(Sample{}),
            R"({"ID":"","Alloc":"","Shared":"","Flag":false,"Small":0,"Big":0,"Ratio":0.0,"Wait":0,"When":null,)"
            R"("Payload":null,"Any":null,"Inners":null,"Meta":null,"Maybe":null,"Common":null})");
  EXPECT_EQ(to_json(full()),
            R"({"ID":"a<b>\"\n\u2028","Alloc":"01234567-89ab-cdef-0123-456789abcdef","Shared":"text","Flag":true,)"
            R"("Small":-5,"Big":18446744073709551615,"Ratio":1.0,"Wait":-3,"When":"2023-11-14T22:13:20.123Z",)"
            R"("Payload":"AAE=","Any":{"k":[1,"x",null]},"Inners":[{"Name":"one","Count":1},{"Name":"none","Count":null}],)"
            R"("Meta":{"a":"1","b":"2"},"Maybe":{"Name":"maybe","Count":2},"Common":{"Name":"common","Count":3}})");
}

TEST(JsonEncode, KeepsNilAndEmptyApart) {
  Sample s;
  s.Inners = List<Inner>::empty_list();
  s.Meta = Map<std::string>::empty_map();
  auto text = to_json(s);
  EXPECT_NE(text.find(R"("Inners":[],"Meta":{})"), std::string::npos);
}

TEST(JsonEncode, PrettyIndentsByFourAndEndsInANewline) {
  EXPECT_EQ(to_json(Inner{"n", 1}, {.pretty = true}), "{\n    \"Name\": \"n\",\n    \"Count\": 1\n}\n");
}

// A reader whose struct has no Count of its own and two fields more.
const JsonShape* reader_shape(const TypeInfo& type) {
  static const JsonShape kInner{.type = "api.Inner", .lacks = {"Count"}, .adds = {{"Age", "null"}, {"Zone", "\"\""}}};
  static const JsonShape kSparse{.type = "Sparse", .omits_empty = {"ID"}};
  return type.name == kInner.type ? &kInner : type.name == kSparse.type ? &kSparse : nullptr;
}

TEST(JsonEncode, ReadersShapesChangeTheirStructsOnly) {
  const JsonStyle style{.shape = reader_shape};
  EXPECT_EQ(to_json(Inner{"n", 1}, style), R"({"Age":null,"Name":"n","Zone":""})");
  EXPECT_EQ(to_json(Sparse{}, style), R"({"Count":null,"Name":""})");
  auto text = to_json(full(), style);
  EXPECT_TRUE(text.starts_with(R"({"Alloc":"01234567-89ab-cdef-0123-456789abcdef","Any":{"k":[1,"x",null]},"Big":)")) << text;
  EXPECT_NE(text.find(R"("Inners":[{"Age":null,"Name":"one","Zone":""},{"Age":null,"Name":"none","Zone":""}])"), std::string::npos);
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_EQ(to_json(List<Inner>{{"n", 1}}, {.pretty = true, .trailing_newline = false, .shape = reader_shape}),
            "[\n    {\n        \"Age\": null,\n        \"Name\": \"n\",\n        \"Zone\": \"\"\n    }\n]");
}

TEST(JsonEncode, BareStructsHaveTheYearOneForNoTime) {
  EXPECT_NE(to_json(Sample{}, {.bare = true}).find(R"("When":"0001-01-01T00:00:00Z")"), std::string::npos);
}

TEST(JsonDecode, ReadsBackWhatWasWritten) {
  auto back = from_json<Sample>(to_json(full()));
  ASSERT_TRUE(back) << back.error().message;
  auto expected = full();
  expected.Any = Value(Value::Object{{"k", Value(Value::Array{Value(1.0), Value("x"), Value()})}});  // floats, as in Go
  EXPECT_EQ(*back, expected);
}

struct DecodeCase {
  const char* text;
  const char* error;  // empty: fine
};

TEST(JsonDecode, ReportsErrorsInTheWordsOfTheReference) {
  const DecodeCase cases[] = {
      {"", "EOF"},
      {"{", "unexpected EOF"},
      {"{\"ID\":\"x", "unexpected EOF"},
      {"x", "invalid character 'x' looking for beginning of value"},
      {"no", "invalid character 'o' in literal null (expecting 'u')"},
      {"{1}", "invalid character '1' looking for beginning of object key string"},
      {"{\"a\" 1}", "invalid character '1' after object key"},
      {"{\"a\":1 2}", "invalid character '2' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"[]", "json: cannot unmarshal array into Go value of type api.Sample"},
      {"{\"ID\":7}", "json: cannot unmarshal number into Go struct field Sample.ID of type string"},
      {"{\"Small\":3000000000}", "json: cannot unmarshal number 3000000000 into Go struct field Sample.Small of type int32"},
      {"{\"Big\":-1}", "json: cannot unmarshal number -1 into Go struct field Sample.Big of type uint64"},
      {"{\"Wait\":\"10s\"}", "json: cannot unmarshal string into Go struct field Sample.Wait of type time.Duration"},
      {"{\"Inners\":{}}", "json: cannot unmarshal object into Go struct field Sample.Inners of type []*api.Inner"},
      {"{\"Inners\":[{\"Count\":true}]}", "json: cannot unmarshal bool into Go struct field Inner.Inners.Count of type int64"},
      {"{\"Meta\":[1]}", "json: cannot unmarshal array into Go struct field Sample.Meta of type map[string]string"},
      {"{\"Meta\":{\"a\":1}}", "json: cannot unmarshal number into Go struct field Sample.Meta of type string"},
      {"{\"Payload\":\"***\"}", "illegal base64 data at input byte 0"},
      {"{\"Payload\":\"AAAAA\"}", "illegal base64 data at input byte 4"},
      {"{\"Payload\":\"AA=\"}", "illegal base64 data at input byte 3"},
      {"{\"Payload\":\"AA==AA\"}", "illegal base64 data at input byte 4"},
      {"{\"Payload\":\"A\\nA==\"}", ""},
      {"{\"Payload\":[1,null,255]}", ""},
      {"{\"Payload\":[256]}", "json: cannot unmarshal number 256 into Go struct field Sample.Payload of type uint8"},
      {"{\"Payload\":[\"a\"]}", "json: cannot unmarshal string into Go struct field Sample.Payload of type uint8"},
      {"{} trailing", ""},
      {"{\"id\":\"lower case key\",\"unknown\":[{\"x\":{}}]}", ""},
      {"null", ""},
  };
  for (auto& c : cases) {
    auto r = from_json<Sample>(c.text);
    EXPECT_EQ(r ? "" : r.error().message, c.error) << c.text;
  }
}

TEST(JsonDecode, LargeMapsTakeTheirKeysInAnyOrderAndTheLastOfEach) {
  Map<std::string> want;
  std::string text = "{";
  for (int i = 999; i >= 0; --i) {
    auto key = fmt::format("k{:04}", i);
    text += fmt::format("\"{}\": \"first\" , ", key);
    want.set(key, i % 2 ? "second" : "first");
  }
  for (int i = 1; i < 1000; i += 2) text += fmt::format("\"k{:04}\":\"second\"{}", i, i == 999 ? " }" : ",");
  Map<std::string> got;
  auto status = json_decode(type_of<Map<std::string>>(), &got, text);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(got, want);
  text.replace(text.find("\"first\"", 9000), 7, "7      ");
  EXPECT_FALSE(json_decode(type_of<Map<std::string>>(), &got, text));
}

TEST(JsonDecode, DeepNestingIsAnErrorNotACrash) {
  for (auto* open : {"[", "{\"a\":"}) {
    std::string text = "{\"Any\":";
    for (int i = 0; i < 200'000; ++i) text += open;
    auto r = from_json<Sample>(text);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().message, std::string("invalid character '") + open[0] + "' exceeded max depth");
  }
}

TEST(Msgpack, RoundTripsInBothStyles) {
  for (bool omit : {false, true}) {
    auto bytes = to_msgpack(full(), {.omit_default = omit});
    auto back = from_msgpack<Sample>(bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, full());
  }
}

TEST(Msgpack, WritesSortedKeysInTheRawFamilyAndTimesAsTheReferenceDoes) {
  EXPECT_EQ(to_msgpack(Inner{"x", std::nullopt}), std::string("\x82\xa5" "Count\xc0\xa4" "Name\xa1x"));
  std::string zero;
  Time unset;
  msgpack_encode(type_of<Time>(), &unset, zero);
  EXPECT_EQ(zero, std::string("\xaf\x01\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff", 16));
}

TEST(Msgpack, TimesThatNanosecondsCannotCountAreTheNearestThatTheyCan) {
  auto read = [](uint64_t seconds, uint32_t nanos) -> std::optional<int64_t> {
    std::string in = "\xaf\x01";
    for (int shift = 56; shift >= 0; shift -= 8) in += static_cast<char>(seconds >> shift);
    for (int shift = 24; shift >= 0; shift -= 8) in += static_cast<char>(nanos >> shift);
    in += "\xff\xff";  // UTC
    std::string_view rest = in;
    Time t;
    if (!msgpack_decode(type_of<Time>(), &t, rest)) return {};
    return t.unix_nanos;
  };
  constexpr uint64_t k1970 = 62135596800, kMost = 9223372035;
  EXPECT_EQ(read(k1970 + 7, 5), 7'000'000'005);
  EXPECT_EQ(read(0, 0), Time().unix_nanos);
  EXPECT_EQ(read(3600, 0), -static_cast<int64_t>(kMost) * 1'000'000'000);
  EXPECT_EQ(read(k1970 + kMost + 1, 0), static_cast<int64_t>(kMost) * 1'000'000'000);
  EXPECT_EQ(read(uint64_t{1} << 63, 0), -static_cast<int64_t>(kMost) * 1'000'000'000);
  EXPECT_EQ(read(k1970, 1'000'000'000), std::nullopt);
}

TEST(Msgpack, LargeMapsTakeTheirKeysInAnyOrderAndTheLastOfEach) {
  constexpr int kKeys = 1000, kEntries = kKeys + kKeys / 2;
  Map<std::string> want;
  std::string bytes{"\xde"};
  bytes += static_cast<char>(kEntries >> 8);
  bytes += static_cast<char>(kEntries & 0xff);
  auto put = [&](int i, std::string_view value) {
    auto key = fmt::format("k{:04}", i);
    for (auto text : {std::string_view(key), value}) bytes += static_cast<char>(0xa0 | text.size()) + std::string(text);
    want.set(key, std::string(value));
  };
  for (int i = kKeys - 1; i >= 0; --i) put(i, "first");
  for (int i = 1; i < kKeys; i += 2) put(i, "second");
  Map<std::string> got;
  std::string_view rest = bytes;
  auto status = msgpack_decode(type_of<Map<std::string>>(), &got, rest);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(got, want);
  EXPECT_TRUE(rest.empty());
  for (size_t cut : {bytes.size() - 1, bytes.size() / 2, size_t{1000}}) {
    rest = std::string_view(bytes).substr(0, cut);
    EXPECT_FALSE(msgpack_decode(type_of<Map<std::string>>(), &got, rest)) << cut;
  }
}

TEST(Msgpack, EveryTruncationIsAnError) {
  auto bytes = to_msgpack(full());
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(from_msgpack<Sample>(std::string_view(bytes).substr(0, n))) << n;
}

TEST(MsgpackMemo, SharedValuesAreWrittenAsEverAndMadeOnce) {
  MsgpackMemo memo(std::type_identity<Inner>{});
  auto inner = std::make_shared<Inner>(Inner{.Name = "shared", .Count = 7});
  auto s = full();
  s.Common = inner;
  auto write = [&](const Sample& v) {
    std::string out;
    msgpack_encode(type_of<Sample>(), &v, out, memo);
    return out;
  };
  auto want = to_msgpack(s, {.omit_default = true});
  EXPECT_EQ(write(s), want);
  // The second time its bytes are copied: a change that nobody may make shows it.
  inner->Name = "changed";
  EXPECT_EQ(write(s), want);
  s.Common = std::make_shared<const Inner>(*inner);
  EXPECT_EQ(write(s), to_msgpack(s, {.omit_default = true}));
  s.Common = nullptr;
  EXPECT_EQ(write(s), to_msgpack(s, {.omit_default = true}));
}

TEST(MsgpackMemo, KeepsWhatItKnowsAliveAndForgetsAtItsBound) {
  MsgpackMemo memo(std::type_identity<Inner>{});
  std::weak_ptr<const Inner> first;
  for (size_t i = 0; i <= MsgpackMemo::kValuesMax; ++i) {
    Sample s;
    s.Common = std::make_shared<const Inner>(Inner{.Name = std::to_string(i), .Count = {}});
    if (i == 0) first = s.Common;
    std::string out;
    msgpack_encode(type_of<Sample>(), &s, out, memo);
    EXPECT_EQ(out, to_msgpack(s, {.omit_default = true}));
    if (i + 1 == MsgpackMemo::kValuesMax) EXPECT_FALSE(first.expired()) << "another value could get its address";
  }
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(memo.size(), 1u);
}

TEST(Msgpack, FieldsBehindABoxAreTheStructsOwn) {
  Sparse plain{.ID = "a"};
  EXPECT_EQ(to_json(plain, {.trailing_newline = false}), R"({"ID":"a","Name":"","Count":null})");
  EXPECT_FALSE(from_msgpack<Sparse>(to_msgpack(plain, {.omit_default = true}))->more);
  Sparse full{.ID = "a", .more = Inner{.Name = "n", .Count = 3}};
  EXPECT_EQ(to_json(full, {.trailing_newline = false}), R"({"ID":"a","Name":"n","Count":3})");
  for (bool omit : {false, true}) EXPECT_EQ(*from_msgpack<Sparse>(to_msgpack(full, {.omit_default = omit})), full);
  EXPECT_EQ(from_json<Sparse>(R"({"Count":4})")->more->Count, 4);
  EXPECT_EQ(convert<Sparse>(Inner{.Name = "x"}).more->Name, "x");
}

TEST(Reflect, ConvertsNullableShapesByName) {
  RequestShape r;
  r.ID = "id";
  r.Inners = {{"a", 1}};
  r.Wait = Duration(5);
  auto s = convert<Sample>(r);
  EXPECT_EQ(s.ID, "id");
  EXPECT_FALSE(s.Flag);
  EXPECT_EQ(s.Inners.size(), 1u);
  EXPECT_EQ(s.Wait, Duration(5));
  auto back = convert<RequestShape>(s);
  EXPECT_EQ(back.ID, "id");
  EXPECT_EQ(back.Flag, false);
}

}  // namespace
}  // namespace drover
