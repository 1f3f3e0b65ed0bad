#include "pipeline/time.hpp"

#include <gtest/gtest.h>

using namespace musetalk::pipeline;

TEST(Rfc3339, WritesUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(951'782'400'123'999), "2000-02-29T00:00:00.123Z");
  EXPECT_EQ(to_rfc3339(1'714'566'645'007'000), "2024-05-01T12:30:45.007Z");
}

TEST(Rfc3339, ReadsWhatItWrites) {
  for (auto at :
       {timestamp_us{0}, timestamp_us{951'782'400'123'000}, timestamp_us{1'714'566'645'007'000}})
    EXPECT_EQ(from_rfc3339(to_rfc3339(at)), at);
  EXPECT_EQ(from_rfc3339("2024-05-01T12:30:45Z"), 1'714'566'645'000'000);
  EXPECT_EQ(from_rfc3339("2024-05-01T12:30:45.1234567Z"), 1'714'566'645'123'456);
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (auto text : {"", "Z", "2024-05-01", "2024-05-01 12:30:45Z", "2024-05-01T12:30:45",
                    "2024-05-01T12:30:45+01:00", "2024-02-30T12:30:45Z", "2024-05-01T24:00:00Z",
                    "2024-05-01T12:60:00Z", "2024-05-01T12:30:45.Z", "2024-05-01T12:30:45.1x3Z",
                    "2024-05-01T12:30:45,1Z", "x024-05-01T12:30:45Z",
                    "2024-05-01T12:30:45.00000000000000000000Z"})
    EXPECT_EQ(from_rfc3339(text), std::nullopt) << text;
}
