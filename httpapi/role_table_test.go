package httpapi

// roles says what each key may do. It is what TestRoles checks, cell by cell, and
// what docs/keys.md shows.
//
// The keys of the first four columns are for in/*, those of the last four for *.
// A promoter's labels are beta and production; protected are locked and production,
// on in/guarded/* and out/guarded/*. A cell has three marks: what is asked for is
// inside in/*, outside, or both (a commit with an operation in each, in either
// order; a list of both). Each operation is made with the path that it has, where
// it has one, and inside a commit.
//
//	✓  it is done, or shown
//	–  it is refused as forbidden, or not shown, and nothing changes
//	◐  what is inside is shown, and nothing of the rest
//	·  there is no such request
const roles = `
| operation                               | reader | writer | promoter | admin | reader of * | writer of * | promoter of * | admin of * |
|-----------------------------------------|--------|--------|----------|-------|-------------|-------------|---------------|------------|
| get a version                           | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| get a text                              | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| get many                                | ✓––    | ✓––    | ✓––      | ✓––   | ✓✓✓         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| head                                    | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| list versions                           | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| list prompts                            | ✓–◐    | ✓–◐    | ✓–◐      | ✓–◐   | ✓✓✓         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| history                                 | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| diff                                    | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| render                                  | ✓–·    | ✓–·    | ✓–·      | ✓–·   | ✓✓·         | ✓✓·         | ✓✓·           | ✓✓·        |
| changes, in pages                       | ✓–◐    | ✓–◐    | ✓–◐      | ✓–◐   | ✓✓✓         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| changes, as a stream                    | ✓–◐    | ✓–◐    | ✓–◐      | ✓–◐   | ✓✓✓         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| save                                    | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| save, with parents                      | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| save, with the label staging            | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| save, with the label beta               | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| save, with the label locked             | –––    | –––    | –––      | ✓––   | –––         | –––         | –––           | ✓✓✓        |
| save, with the label production         | –––    | –––    | –––      | ✓––   | –––         | –––         | –––           | ✓✓✓        |
| set the label staging                   | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| set the label beta                      | –––    | ✓––    | ✓––      | ✓––   | –––         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| set the label locked                    | –––    | –––    | –––      | ✓––   | –––         | –––         | –––           | ✓✓✓        |
| set the label production                | –––    | –––    | ✓––      | ✓––   | –––         | –––         | ✓✓✓           | ✓✓✓        |
| remove the label staging                | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| remove the label beta                   | –––    | ✓––    | ✓––      | ✓––   | –––         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| remove the label locked                 | –––    | –––    | –––      | ✓––   | –––         | –––         | –––           | ✓✓✓        |
| remove the label production             | –––    | –––    | ✓––      | ✓––   | –––         | –––         | ✓✓✓           | ✓✓✓        |
| roll back the label staging             | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| roll back the label beta                | –––    | ✓––    | ✓––      | ✓––   | –––         | ✓✓✓         | ✓✓✓           | ✓✓✓        |
| roll back the label locked              | –––    | –––    | –––      | ✓––   | –––         | –––         | –––           | ✓✓✓        |
| roll back the label production          | –––    | –––    | ✓––      | ✓––   | –––         | –––         | ✓✓✓           | ✓✓✓        |
| delete a version                        | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| delete a prompt                         | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| delete by force, nothing protected      | –––    | ✓––    | –––      | ✓––   | –––         | ✓✓✓         | –––           | ✓✓✓        |
| delete by force, a label protected      | –––    | –––    | –––      | ✓––   | –––         | –––         | –––           | ✓✓✓        |
| clear                                   | –      | –      | –        | –     | –           | –           | –             | ✓          |
| verify                                  | –      | –      | –        | –     | –           | –           | –             | ✓          |
| backup                                  | –      | –      | –        | –     | –           | –           | –             | ✓          |
| export                                  | –      | –      | –        | –     | –           | –           | –             | ✓          |
| replay                                  | –      | –      | –        | –     | –           | –           | –             | ✓          |
| store                                   | ✓      | ✓      | ✓        | ✓     | ✓           | ✓           | ✓             | ✓          |
| metrics                                 | ✓      | ✓      | ✓        | ✓     | ✓           | ✓           | ✓             | ✓          |
`
