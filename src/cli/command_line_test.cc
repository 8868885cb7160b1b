#include "cli/command_line.h"

#include <gtest/gtest.h>

namespace windlass {
namespace {

PrintCommand printed(const std::vector<std::string>& arguments) {
  const auto command = parse_command_line(arguments);
  const auto* print = std::get_if<PrintCommand>(&command);
  return print != nullptr ? *print : PrintCommand{-1, "nothing was printed"};
}

TEST(CommandLine, ServesWithoutAnArgument) {  // api/L1
  EXPECT_TRUE(std::holds_alternative<ServeCommand>(parse_command_line({})));
  EXPECT_TRUE(std::holds_alternative<ServeCommand>(parse_command_line({"serve"})));
}

TEST(CommandLine, KnowsHealthcheck) {  // api/L2
  EXPECT_TRUE(std::holds_alternative<HealthcheckCommand>(parse_command_line({"healthcheck"})));
}

TEST(CommandLine, NeverStartsAServiceForATypo) {  // api/L3
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"sevre"}, {"serve", "now"}, {"--port"}, {"serve", "healthcheck"}}) {
    SCOPED_TRACE(arguments.front());
    const auto print = printed(arguments);
    EXPECT_EQ(print.exit_code, 2);
    EXPECT_NE(print.text.find("serve"), std::string::npos) << print.text;
  }
}

TEST(CommandLine, PrintsVersionAndHelp) {
  EXPECT_EQ(printed({"--version"}).exit_code, 0);
  EXPECT_EQ(printed({"--version"}).text, "windlass " WINDLASS_VERSION "\n");
  EXPECT_EQ(printed({"--help"}).exit_code, 0);
}

}  // namespace
}  // namespace windlass
