package main

import (
	"strings"

	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/artifact"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/icon"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/immutable"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/label"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/repository"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/user"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/models"
)

// inside is the repository that the artifact is copied to; its name has a slash, which travels escaped.
const inside = "team/app"

func (l *life) labels() {
	made := must(l.Label.CreateLabel(l.ctx, &label.CreateLabelParams{
		Label: &models.Label{Name: l.word, Scope: "p", ProjectID: l.projectID, Color: "#00ab9a"},
	}))
	l.labelID = id(made.Location)
	must(l.Label.UpdateLabel(l.ctx, &label.UpdateLabelParams{
		LabelID: l.labelID, Label: &models.Label{Name: l.word + "-kept", Description: "kept", Color: "#00ab9a"},
	}))
	one := must(l.Label.GetLabelByID(l.ctx, &label.GetLabelByIDParams{LabelID: l.labelID})).Payload
	check(one.Name == l.word+"-kept" && one.Description == "kept" && one.Scope == "p", "label: %+v", one)
	listed := must(l.Label.ListLabels(l.ctx, &label.ListLabelsParams{Scope: to("p"), ProjectID: &l.projectID}))
	check(listed.XTotalCount == 1 && listed.Payload[0].ID == l.labelID, "labels: %+v", listed.Payload)
}

func (l *life) copyArtifact() {
	must(l.Artifact.CopyArtifact(l.ctx, &artifact.CopyArtifactParams{
		ProjectName: l.project, RepositoryName: inside, From: l.source + "@" + l.digest,
	}))
	must(l.Artifact.CreateTag(l.ctx, &artifact.CreateTagParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest, Tag: &models.Tag{Name: "rel-1"},
	}))
	_, err := l.Project.DeleteProject(l.ctx, &project.DeleteProjectParams{ProjectNameOrID: l.project})
	refused[*project.DeleteProjectPreconditionFailed](err)
}

func (l *life) repositories() {
	must(l.Repository.UpdateRepository(l.ctx, &repository.UpdateRepositoryParams{
		ProjectName: l.project, RepositoryName: inside, Repository: &models.Repository{Description: "# App"},
	}))
	one := must(l.Repository.GetRepository(l.ctx, &repository.GetRepositoryParams{
		ProjectName: l.project, RepositoryName: inside,
	})).Payload
	check(one.Name == l.project+"/"+inside && one.Description == "# App", "repository: %+v", one)
	listed := must(l.Repository.ListRepositories(l.ctx, &repository.ListRepositoriesParams{ProjectName: l.project}))
	check(listed.XTotalCount == 1 && listed.Payload[0].ArtifactCount > 0, "repositories: %+v", listed.Payload)
	query := "name=~" + l.word
	all := must(l.Repository.ListAllRepositories(l.ctx, &repository.ListAllRepositoriesParams{Q: &query}))
	check(all.XTotalCount == 1, "all repositories: %+v", all.Payload)
}

func (l *life) artifacts() {
	one := func() *models.Artifact {
		return must(l.Artifact.GetArtifact(l.ctx, &artifact.GetArtifactParams{
			ProjectName: l.project, RepositoryName: inside, Reference: "rel-1",
			WithTag: to(true), WithLabel: to(true), WithAccessory: to(true), WithImmutableStatus: to(true),
		})).Payload
	}
	must(l.Artifact.AddLabel(l.ctx, &artifact.AddLabelParams{
		ProjectName: l.project, RepositoryName: inside, Reference: "rel-1", Label: &models.Label{ID: l.labelID},
	}))
	shown := one()
	check(shown.Digest == l.digest && shown.Type == "IMAGE" && shown.Size > 0, "artifact: %+v", shown)
	check(len(shown.Labels) == 1 && shown.Labels[0].ID == l.labelID, "its labels: %+v", shown.Labels)
	picture := must(l.Icon.GetIcon(l.ctx, &icon.GetIconParams{Digest: shown.Icon})).Payload
	check(picture.ContentType == "image/png" && picture.Content != "", "icon: %s", picture.ContentType)
	listed := must(l.Artifact.ListArtifacts(l.ctx, &artifact.ListArtifactsParams{
		ProjectName: l.project, RepositoryName: inside, Q: to("tags=rel-1"), WithTag: to(true), WithLabel: to(true),
	}))
	check(listed.XTotalCount == 1 && len(listed.Payload[0].Tags) == 2, "artifacts: %+v", listed.Payload)
	of := must(l.Project.ListArtifactsOfProject(l.ctx, &project.ListArtifactsOfProjectParams{ProjectNameOrID: l.project}))
	check(len(of.Payload) == 1 && of.Payload[0].RepositoryName == l.project+"/"+inside, "artifacts: %+v", of.Payload)
	must(l.Artifact.RemoveLabel(l.ctx, &artifact.RemoveLabelParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest, LabelID: l.labelID,
	}))
	check(len(one().Labels) == 0, "the label is still there")
}

func (l *life) tags() {
	names := func() (found []string) {
		listed := must(l.Artifact.ListTags(l.ctx, &artifact.ListTagsParams{
			ProjectName: l.project, RepositoryName: inside, Reference: l.digest, Sort: to("name"),
		}))
		for _, tag := range listed.Payload {
			found = append(found, tag.Name)
		}
		return found
	}
	create := &artifact.CreateTagParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest, Tag: &models.Tag{Name: "latest"},
	}
	must(l.Artifact.CreateTag(l.ctx, create))
	_, err := l.Artifact.CreateTag(l.ctx, create)
	refused[*artifact.CreateTagConflict](err)
	check(strings.Join(names(), " ") == "1.0 latest rel-1", "tags: %v", names())
	must(l.Artifact.DeleteTag(l.ctx, &artifact.DeleteTagParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest, TagName: "latest",
	}))
	check(strings.Join(names(), " ") == "1.0 rel-1", "tags: %v", names())
}

func (l *life) accessories() {
	listed := must(l.Artifact.ListAccessories(l.ctx, &artifact.ListAccessoriesParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest,
	}))
	check(listed.XTotalCount == 1, "accessories: %+v", listed.Payload)
	check(listed.Payload[0].SubjectArtifactDigest == l.digest, "its subject: %+v", listed.Payload[0])
}

func (l *life) additions() {
	history := must(l.Artifact.GetAddition(l.ctx, &artifact.GetAdditionParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest, Addition: "build_history",
	}))
	check(strings.Contains(history.Payload, "created_by"), "build_history: %s", history.Payload)
	_, err := l.Artifact.GetVulnerabilitiesAddition(l.ctx, &artifact.GetVulnerabilitiesAdditionParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest,
	})
	refused[*artifact.GetVulnerabilitiesAdditionNotFound](err) // nothing scans yet
}

func (l *life) immutability() {
	rule := &models.ImmutableRule{
		Action: "immutable", Template: "immutable_template",
		TagSelectors: []*models.ImmutableSelector{{Kind: "doublestar", Decoration: "matches", Pattern: "rel-*"}},
		ScopeSelectors: map[string][]models.ImmutableSelector{
			"repository": {{Kind: "doublestar", Decoration: "repoMatches", Pattern: "**"}},
		},
	}
	must(l.Immutable.CreateImmuRule(l.ctx, &immutable.CreateImmuRuleParams{ProjectNameOrID: l.project, ImmutableRule: rule}))
	_, err := l.Artifact.DeleteTag(l.ctx, &artifact.DeleteTagParams{
		ProjectName: l.project, RepositoryName: inside, Reference: l.digest, TagName: "rel-1",
	})
	check(err != nil && strings.Contains(err.Error(), "412"), "an immutable tag is deleted: %v", err)
	listed := must(l.Immutable.ListImmuRules(l.ctx, &immutable.ListImmuRulesParams{ProjectNameOrID: l.project}))
	check(listed.XTotalCount == 1 && listed.Payload[0].TagSelectors[0].Pattern == "rel-*", "rules: %+v", listed.Payload)
	kept := listed.Payload[0]
	kept.Disabled = true
	must(l.Immutable.UpdateImmuRule(l.ctx, &immutable.UpdateImmuRuleParams{
		ProjectNameOrID: l.project, ImmutableRuleID: kept.ID, ImmutableRule: kept,
	}))
	must(l.Immutable.DeleteImmuRule(l.ctx, &immutable.DeleteImmuRuleParams{
		ProjectNameOrID: l.project, ImmutableRuleID: kept.ID,
	}))
}

func (l *life) deleteAll() {
	must(l.Artifact.DeleteArtifact(l.ctx, &artifact.DeleteArtifactParams{
		ProjectName: l.project, RepositoryName: inside, Reference: "rel-1",
	}))
	must(l.Repository.DeleteRepository(l.ctx, &repository.DeleteRepositoryParams{
		ProjectName: l.project, RepositoryName: inside,
	}))
	must(l.Label.DeleteLabel(l.ctx, &label.DeleteLabelParams{LabelID: l.labelID}))
	must(l.Project.DeleteProject(l.ctx, &project.DeleteProjectParams{ProjectNameOrID: l.numbered()}))
	must(l.User.DeleteUser(l.ctx, &user.DeleteUserParams{UserID: l.userID}))
	_, err := l.Project.GetProject(l.ctx, &project.GetProjectParams{ProjectNameOrID: l.project})
	check(err != nil, "the project is still there")
}
