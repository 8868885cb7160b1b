#include "driver/tool_output.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

TEST(ToolOutput, KeepsWhatWentWrong) {
  EXPECT_EQ(error_text(" Network shop_default  Creating\n Container a  Error\nno such thing\nno such thing\n"),
            "no such thing");
  EXPECT_EQ(error_text("time=\"2026-11-24T07:30:01Z\" level=error msg=\"it is \\\"bad\\\"\"\n"), "it is \"bad\"");
  EXPECT_EQ(error_text("time=\"t\" level=warning msg=\"old\"\n\n  \n"), "");
  EXPECT_EQ(error_text("one\ntwo\x1b[31m\n"), "one; two\\x1b[31m");
}

TEST(ToolOutput, KeepsTheEndOfALongError) {
  const auto text = error_text(std::string(100'000, 'x') + "\nthe cause\n");
  EXPECT_EQ(text.size(), 4096u);
  EXPECT_TRUE(text.ends_with("x; the cause"));
}

TEST(ToolOutput, FindsTheWarnings) {
  const auto warnings = warnings_in(
      "time=\"2026-11-24T07:30:01Z\" level=warning msg=\"The \\\"MISSING\\\" variable is not set. Defaulting to a "
      "blank "
      "string.\"\nother\ntime=\"t\" level=info msg=x\n");
  EXPECT_EQ(warnings, std::vector<std::string>{"The \"MISSING\" variable is not set. Defaulting to a blank string."});
}

TEST(Masks, HideValuesOfSixBytesAndMore) {
  Masks masks;
  for (auto value : {"secret", "secret-longer", "short", ""}) masks.add(value);
  EXPECT_EQ(masks.apply("a secret, a secret-longer, a short"), "a ***, a ***, a short");
}

}  // namespace
}  // namespace windlass
