package main

import (
	"fmt"
	"strings"

	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/member"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/robot"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/robotv1"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/user"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/usergroup"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/models"
)

func (l *life) createUser() {
	l.user = l.word + "-user"
	made := must(l.User.CreateUser(l.ctx, &user.CreateUserParams{UserReq: &models.UserCreationReq{
		Username: l.user, Email: l.user + "@example.org", Realname: "Ada", Password: "Sesame-opens-2",
	}}))
	l.userID = id(made.Location)
	_, err := l.User.SetCliSecret(l.ctx, &user.SetCliSecretParams{
		UserID: l.userID, Secret: &models.OIDCCliSecretReq{Secret: "Sesame-opens-3"},
	})
	refused[*user.SetCliSecretPreconditionFailed](err)
	listed := must(l.User.ListUsers(l.ctx, &user.ListUsersParams{Q: to("username=" + l.user)}))
	check(listed.XTotalCount == 1 && listed.Payload[0].UserID == l.userID, "users: %+v", listed.Payload)
	found := must(l.User.SearchUsers(l.ctx, &user.SearchUsersParams{Username: l.word}))
	check(len(found.Payload) == 1 && found.Payload[0].Username == l.user, "users/search: %+v", found.Payload)
	current := must(l.User.GetCurrentUserInfo(l.ctx, &user.GetCurrentUserInfoParams{})).Payload
	check(current.SysadminFlag, "users/current: %+v", current)
	granted := must(l.User.GetCurrentUserPermissions(l.ctx, &user.GetCurrentUserPermissionsParams{
		Scope: to(fmt.Sprintf("/project/%d", l.projectID)), Relative: to(true),
	})).Payload
	check(len(granted) > 0 && granted[0].Resource != "" && granted[0].Action != "", "permissions: %+v", granted)
}

func (l *life) changeUser() {
	get := func() *models.UserResp {
		return must(l.User.GetUser(l.ctx, &user.GetUserParams{UserID: l.userID})).Payload
	}
	check(get().Realname == "Ada" && !get().SysadminFlag, "user: %+v", get())
	must(l.User.UpdateUserProfile(l.ctx, &user.UpdateUserProfileParams{
		UserID: l.userID, Profile: &models.UserProfile{Email: l.user + "@example.com", Realname: "Ada L", Comment: "first"},
	}))
	check(get().Realname == "Ada L" && get().Comment == "first", "user: %+v", get())
	for _, flag := range []bool{true, false} {
		must(l.User.SetUserSysAdmin(l.ctx, &user.SetUserSysAdminParams{
			UserID: l.userID, SysadminFlag: &models.UserSysAdminFlag{SysadminFlag: flag},
		}))
		check(get().SysadminFlag == flag, "sysadmin_flag: %+v", get())
	}
	must(l.User.UpdateUserPassword(l.ctx, &user.UpdateUserPasswordParams{
		UserID: l.userID, Password: &models.PasswordReq{NewPassword: "Sesame-opens-4"},
	}))
}

func (l *life) groups() {
	made := must(l.Usergroup.CreateUserGroup(l.ctx, &usergroup.CreateUserGroupParams{
		Usergroup: &models.UserGroup{GroupName: l.word + "-group", GroupType: 3},
	}))
	number := id(made.Location)
	listed := must(l.Usergroup.ListUserGroups(l.ctx, &usergroup.ListUserGroupsParams{GroupName: &l.word})).Payload
	check(len(listed) == 1 && listed[0].ID == number, "usergroups: %+v", listed)
	found := must(l.Usergroup.SearchUserGroups(l.ctx, &usergroup.SearchUserGroupsParams{Groupname: l.word})).Payload
	check(len(found) == 1 && found[0].GroupType == 3, "usergroups/search: %+v", found)
	must(l.Usergroup.UpdateUserGroup(l.ctx, &usergroup.UpdateUserGroupParams{
		GroupID: number, Usergroup: &models.UserGroup{GroupName: l.word + "-crew"},
	}))
	one := must(l.Usergroup.GetUserGroup(l.ctx, &usergroup.GetUserGroupParams{GroupID: number})).Payload
	check(one.GroupName == l.word+"-crew", "usergroup: %+v", one)
	must(l.Usergroup.DeleteUserGroup(l.ctx, &usergroup.DeleteUserGroupParams{GroupID: number}))
}

func (l *life) members() {
	made := must(l.Member.CreateProjectMember(l.ctx, &member.CreateProjectMemberParams{
		ProjectNameOrID: l.project,
		ProjectMember:   &models.ProjectMember{RoleID: 2, MemberUser: &models.UserEntity{Username: l.user}},
	}))
	l.memberID = id(made.Location)
	listed := must(l.Member.ListProjectMembers(l.ctx, &member.ListProjectMembersParams{
		ProjectNameOrID: l.project, Entityname: &l.user,
	})).Payload
	check(len(listed) == 1 && listed[0].RoleName == "developer", "members: %+v", listed)
	must(l.Member.UpdateProjectMember(l.ctx, &member.UpdateProjectMemberParams{
		ProjectNameOrID: l.project, Mid: l.memberID, Role: &models.RoleRequest{RoleID: 4},
	}))
	one := must(l.Member.GetProjectMember(l.ctx, &member.GetProjectMemberParams{
		ProjectNameOrID: l.project, Mid: l.memberID,
	})).Payload
	check(one.RoleName == "maintainer" && one.EntityID == l.userID, "member: %+v", one)
	must(l.Member.DeleteProjectMember(l.ctx, &member.DeleteProjectMemberParams{
		ProjectNameOrID: l.project, Mid: l.memberID,
	}))
}

func access(resource string, actions ...string) []*models.Access {
	var granted []*models.Access
	for _, action := range actions {
		granted = append(granted, &models.Access{Resource: resource, Action: action})
	}
	return granted
}

func (l *life) systemRobot() {
	made := must(l.Robot.CreateRobot(l.ctx, &robot.CreateRobotParams{Robot: &models.RobotCreate{
		Name: l.word, Level: "system", Duration: -1,
		Permissions: []*models.RobotPermission{
			{Kind: "system", Namespace: "/", Access: access("project", "list")},
			{Kind: "project", Namespace: "*", Access: access("repository", "pull", "push")},
		},
	}})).Payload
	check(made.Name == "robot$"+l.word && made.Secret != "" && made.ExpiresAt == -1, "robot: %s", made.Name)
	own := connect(l.address, made.Name, made.Secret)
	must(own.Project.ListProjects(l.ctx, &project.ListProjectsParams{}))
	shown := must(l.Robot.GetRobotByID(l.ctx, &robot.GetRobotByIDParams{RobotID: made.ID})).Payload
	check(shown.Secret == "" && len(shown.Permissions) == 2 && shown.Editable, "robot: %+v", shown)
	shown.Description, shown.Disable = "off duty", true
	must(l.Robot.UpdateRobot(l.ctx, &robot.UpdateRobotParams{RobotID: made.ID, Robot: shown}))
	listed := must(l.Robot.ListRobot(l.ctx, &robot.ListRobotParams{Q: to("Level=system,name=" + l.word)}))
	check(listed.XTotalCount == 1 && listed.Payload[0].Disable, "robots: %+v", listed.Payload)
	fresh := must(l.Robot.RefreshSec(l.ctx, &robot.RefreshSecParams{RobotID: made.ID, RobotSec: &models.RobotSec{}})).Payload
	check(fresh.Secret != "" && fresh.Secret != made.Secret, "the secret is the old one")
	must(l.Robot.DeleteRobot(l.ctx, &robot.DeleteRobotParams{RobotID: made.ID}))
}

func (l *life) projectRobot() {
	made := must(l.Robot.CreateRobot(l.ctx, &robot.CreateRobotParams{Robot: &models.RobotCreate{
		Name: "ci", Level: "project", Duration: 30,
		Permissions: []*models.RobotPermission{
			{Kind: "project", Namespace: l.project, Access: access("repository", "pull", "push", "list")},
		},
	}})).Payload
	check(made.Name == "robot$"+l.project+"+ci" && made.ExpiresAt > 0, "robot: %s", made.Name)
	query := fmt.Sprintf("Level=project,ProjectID=%d", l.projectID)
	listed := must(l.Robot.ListRobot(l.ctx, &robot.ListRobotParams{Q: &query})).Payload
	check(len(listed) == 1 && listed[0].Name == made.Name, "robots: %+v", listed)
}

func (l *life) legacyRobot() {
	made := must(l.legacy.CreateRobotV1(l.ctx, &robotv1.CreateRobotV1Params{
		ProjectNameOrID: l.project,
		Robot:           &models.RobotCreateV1{Name: "old", ExpiresAt: -1, Access: access("repository", "pull")},
	})).Payload
	check(strings.HasSuffix(made.Name, "old") && made.Secret != "", "robot: %s", made.Name)
	one := must(l.legacy.GetRobotByIDV1(l.ctx, &robotv1.GetRobotByIDV1Params{
		ProjectNameOrID: l.project, RobotID: made.ID,
	})).Payload
	one.Disable = true
	must(l.legacy.UpdateRobotV1(l.ctx, &robotv1.UpdateRobotV1Params{
		ProjectNameOrID: l.project, RobotID: made.ID, Robot: one,
	}))
	listed := must(l.legacy.ListRobotV1(l.ctx, &robotv1.ListRobotV1Params{ProjectNameOrID: l.project}))
	check(listed.XTotalCount == 2, "robots of the project: %+v", listed.Payload)
	must(l.legacy.DeleteRobotV1(l.ctx, &robotv1.DeleteRobotV1Params{ProjectNameOrID: l.project, RobotID: made.ID}))
}
