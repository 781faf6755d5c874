#include "src/cli/command.h"
#include "src/distributed/fragment_program.h"

namespace viand::cli {

void AddFragmentCommand(CLI::App* app) {
  auto* fragment =
      app->add_subcommand("fragment", "Run one plan fragment (for the process executor)");
  fragment->group("");
  struct Arguments {
    std::string in, out;
  };
  auto arguments = std::make_shared<Arguments>();
  fragment->add_option("in", arguments->in)->required();
  fragment->add_option("out", arguments->out)->required();
  fragment->callback([arguments] {
    const int code = distributed::RunFragmentProgram(arguments->in, arguments->out);
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace viand::cli
