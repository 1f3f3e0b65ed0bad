#include "models/checkpoint/pickle_reader.hpp"

#include "errors/error.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace musetalk::models;
using namespace std::string_literals;
using musetalk::errc;
using musetalk::error;

namespace {

pickle read(const std::string& bytes) {
  return read_pickle(std::as_bytes(std::span{bytes}));
}

std::string refusal(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::models_invalid);
    return e.detail();
  }
  return "accepted";
}

} // namespace

TEST(PickleReader, KeepsTheLastOfEqualKeys) {
  auto bytes = "\x80\x02}(X\x01\x00\x00\x00"
               "aK\x01X\x01\x00\x00\x00"
               "aK\x02u."s;
  auto p = read(bytes);
  EXPECT_EQ(p.find(p[p.root], "a")->integer, 2);
}

TEST(PickleReader, ReadsLongsOfEveryLength) {
  for (auto& [bytes, value] : std::vector<std::pair<std::string, int64_t>>{
           {"\x80\x02\x8a\x00."s, 0},
           {"\x80\x02\x8a\x01\xff."s, -1},
           {"\x80\x02\x8a\x02\xff\x00."s, 255},
           {"\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."s, INT64_MIN}}) {
    auto p = read(bytes);
    EXPECT_EQ(p[p.root].integer, value);
  }
}

TEST(PickleReader, SkipsObjectsOfUnknownClassesWithTheirState) {
  auto bytes = "\x80\x02"
               "cacme.logging\nHistory\n)\x81}X\x01\x00\x00\x00"
               "nK\x05sb."s;
  auto p = read(bytes);
  EXPECT_EQ(p[p.root].kind, pickle_kind::opaque);
}

TEST(PickleReader, RefusesToCallWhatIsNotOnItsList) {
  auto bytes = "\x80\x02"
               "cacme.tools\nrun\n)R."s;
  EXPECT_EQ(refusal(bytes),
            "damaged or foreign pickle: it calls acme.tools.run, which is not allowed");
}

TEST(PickleReader, RefusesToEvenNameTheSystem) {
  for (const auto* name : {"os\nsystem", "posix\nsystem", "builtins\neval", "__builtin__\nexec",
                           "subprocess\nPopen", "importlib.util\nfind_spec"}) {
    SCOPED_TRACE(name);
    auto bytes = "\x80\x02"s + "c" + name + "\n0}.";
    EXPECT_NE(refusal(bytes).find("which no weight file needs"), std::string::npos);
  }
}

TEST(PickleReader, IsNotFooledByManyFetchesOfOneBigTuple) {
  // A tuple of 100,000 entries, passed to a call again and again: work must not be their product.
  auto bytes = "\x80\x02("s + std::string(100'000, 'N') + "tq\x00"s + "0";
  for (auto i = 0; i < 10'000; ++i)
    bytes += "ccollections\nOrderedDict\nh\x00R0"s;
  EXPECT_NE(refusal(bytes + "N.").find("a call with 100000 arguments"), std::string::npos);
}

TEST(PickleReader, RefusesAViewThatRepeatsAValueWithoutEnd) {
  // _rebuild_tensor_v2(storage of 1 float, 0, (2^30,), (0,))
  auto bytes = "\x80\x02"
               "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00"
               "storagectorch\nFloatStorage\nX\x01\x00\x00\x00"
               "0X\x03\x00\x00\x00"
               "cpuK\x01tQK\x00J\x00\x00\x00\x40\x85K\x00\x85\x89NtR."s;
  EXPECT_NE(refusal(bytes).find("[1073741824] over a storage of 1 values"), std::string::npos);
}

TEST(PickleReader, EndsWithStopAndTellsWhere) {
  auto p = read("\x80\x02N.N."s);
  EXPECT_EQ(p.bytes_read, 4u);
}
